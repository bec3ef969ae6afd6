"""The inventory of kernels: for every entry point, how far up a ladder of evidence it has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipaudit.audits.kernels import KernelAudit
from hipaudit.finding import Finding
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Study

RUNGS = ("parses", "compiles", "within limits", "runs", "right numbers", "no races")
_LIMITS = "launch-limit"
_NUMBERS = frozenset(
    {"bound-exceeded", "nonfinite-mismatch", "overflow", "conversion-inexact", "nondeterminism",
     "wave-size-dependence", "unwritten-output", "bound-vacuous"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry point: its file, its specs, whether each rung holds, and what that rests on.

    rungs  by name; None where nothing was run that could tell
    """

    name: str
    source: str
    specs: tuple[str, ...]
    rungs: Mapping[str, bool | None]
    evidence: str

    @property
    def reached(self) -> str:
        """The highest rung below the first that does not hold; empty for none."""
        last = ""
        for rung in RUNGS:
            if not self.rungs[rung]:
                break
            last = rung
        return last


def inventory(
    audits: Sequence[KernelAudit],
    code: Study | None,
    rows: Sequence[Mapping[str, Any]],
    findings: Iterable[Finding],
) -> tuple[Entry, ...]:
    """Return every entry point that a spec launches or that the library's files define.

    rows  what ran: name, arch, launches, accesses, as `hipaudit.launches.kernel_rows` has it
    """
    specs: dict[str, list[KernelAudit]] = {}
    for audit in audits:
        for name in audit.spec.entry_points:
            specs.setdefault(name, []).append(audit)
    compiled: dict[str, set[str]] = {}
    sources: dict[str, str] = {}
    for row in code.rows if code else ():
        compiled.setdefault(row.code.name, set()).add(row.part.name)
    kinds: dict[str, set[str]] = {}
    for finding in findings:
        if finding.severity != "info":
            kinds.setdefault(finding.kernel, set()).add(finding.kind)
    for name, users in specs.items():
        sources[name] = users[0].spec.source
    names = sorted({*specs, *compiled})
    return tuple(
        _entry(name, specs.get(name, ()), compiled.get(name) if code else None, rows,
               kinds.get(name, set()), sources.get(name, ""))
        for name in names
    )  # fmt: skip


def _entry(
    name: str,
    users: Sequence[KernelAudit],
    parts: set[str] | None,
    rows: Sequence[Mapping[str, Any]],
    kinds: set[str],
    source: str,
) -> Entry:
    mine = [row for row in rows if row["name"] == name]
    launches = sum(int(row["launches"]) for row in mine)
    accesses = sum(int(row["accesses"]) for row in mine)
    verdicts = [verdict for user in users for verdict in user.verdicts]
    passed = all(verdict["status"] == "passed" for verdict in verdicts)
    compiles = None if parts is None else parts == set(PARTS)
    seen = bool(parts) or launches > 0
    rungs: dict[str, bool | None] = {
        "parses": None if parts is None and not seen else seen,
        "compiles": compiles,
        "within limits": None if parts is None else _LIMITS not in kinds,
        "runs": launches > 0,
        "right numbers": (passed and not kinds & _NUMBERS) if verdicts else None,
        "no races": not kinds - _NUMBERS - {_LIMITS} if accesses else None,
    }
    told = [f"{len(parts)} of {len(PARTS)} parts"] if parts is not None else []
    told += [f"{launches:,} launches", f"{accesses:,} accesses checked"]
    elements = sum(int(verdict["elements"]) for verdict in verdicts)
    told += [f"{elements:,} elements compared"]
    names = tuple(user.spec.name for user in users)
    return Entry(name, source, names, rungs, ", ".join(told))
