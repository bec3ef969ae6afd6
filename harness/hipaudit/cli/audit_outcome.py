"""What an audit's results add up to: the outcome, and the data for the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hipaudit.audits import buffer_copies, hidden_synchronisation, kernels, storage_modes
from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.memory_page import MemoryAudit
from hipaudit.audits.sweep import Sweep
from hipaudit.cli.auditing import (
    BARRIERS,
    CLAIMS,
    CODE,
    FAULTS,
    MEMORY,
    MODEL,
    RESOLVED,
    SWEEPS,
    Plan,
)
from hipaudit.finding import Finding, grouped
from hipaudit.launches import Launches, kernel_rows
from hipaudit.outcome import Outcome
from hipaudit.report.pages import AuditData
from hipaudit.text import plural

_MEMORY_AUDITS = (buffer_copies, storage_modes, hidden_synchronisation)


@dataclass(slots=True)
class _Sum:
    """What the parts have shown, added up."""

    launched: list[Launches] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    def add(self, subject: str, one: Any) -> None:
        """Add a part that has findings, and may have launches and a reason to be void."""
        self.subjects.append(subject)
        self.found += one.findings
        self.launched += getattr(one, "launches", ())
        self.voids += [one.void] if one.void else []


def data(plan: Plan, results: Mapping[str, Any]) -> AuditData:
    """Return what the pages and the outputs are made from."""
    audits: tuple[KernelAudit, ...] = tuple(results[spec.name] for spec in plan.specs)
    title = f"{plan.device} device, as {' and '.join(plan.archs)}"
    ours = kernels.outcome_of(audits, title, plan.archs)
    total = _Sum(notes=list(ours.notes), subjects=[plural(len(audits), "library kernel")])
    total.found += [finding for audit in audits for finding in audit.findings]
    total.launched += [entry for audit in audits for entry in audit.launches]
    total.voids += [ours.void] if ours.void else []
    memory = _others(plan, results, total)
    sweeps = tuple(_sweeps(results))
    for sweep in sweeps:
        total.add(f"{sweep.title} (sweep)", sweep)
    outcome = Outcome(
        title,
        ",".join(plan.archs),
        kernel_rows(total.launched),
        grouped(total.found),
        tuple(total.notes),
        "; ".join(total.voids) or None,
    )
    return AuditData(
        outcome,
        audits,
        results.get(MODEL),
        ", ".join(total.subjects),
        plan.archs,
        memory,
        results.get(BARRIERS),
        results.get(FAULTS, ()),
        results.get(CODE),
        sweeps,
        results.get(CLAIMS),
        results.get(RESOLVED),
    )


def _others(plan: Plan, results: Mapping[str, Any], total: _Sum) -> tuple[MemoryAudit, ...]:
    """Add what is neither a kernel nor a sweep; return the audits of memory."""
    memory: tuple[MemoryAudit, ...] = ()
    if weights := results.get(MODEL):
        total.add(f"the weights of {weights.model}", weights)
    if tokens := results.get(MEMORY):
        memory = tuple(one.audit(tokens) for one in _MEMORY_AUDITS)
        total.add(f"{plural(tokens.tokens, 'token')} decoded by it", tokens)
        total.found += [finding for one in memory for finding in one.findings]
    if needs := results.get(BARRIERS):
        total.subjects.append(f"the barriers of {plural(needs.specs, 'kernel')}")
        total.found += [*needs.redundant, *needs.missing]
        total.launched += needs.launches
        total.voids += [needs.void] if needs.void else []
        total.notes += needs.notes
    if claimed := results.get(CLAIMS):
        total.add("the claims of a bug analysis", claimed)
    if (ledger := results.get(RESOLVED)) and ledger.void:
        total.voids.append(ledger.void)
    if kills := results.get(FAULTS):
        total.subjects.append("the seeded faults")
        if missed := sum(not kill.passed for kill in kills):
            total.notes.append(f"kill matrix: {plural(missed, 'row')} not as expected")
    if code := results.get(CODE):
        total.subjects.append(f"the code of {plural(len(plan.code), 'kernel file')}")
        total.found += code.findings.items
    return memory


def _sweeps(results: Mapping[str, Any]) -> Iterator[Sweep]:
    """Yield the sweeps' pages: some fill several."""
    for name in SWEEPS:
        found = results.get(name, ())
        yield from found if isinstance(found, tuple) else (found,)
