"""Checking one kernel file: both wave sizes, checked build before plain, each in a child."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hipaudit import hygiene, widths
from hipaudit.child import ChildResult, run_in_child
from hipaudit.errors import HipauditError
from hipaudit.finding import Finding, Reader, definition_line, grouped, unlisted
from hipaudit.launches import Launches, kernel_rows, launches
from hipaudit.outcome import Outcome
from hipaudit.symbolise import Symboliser

_CHECKED, _PLAIN = "checked", "plain"
_WAVES = (64, 32)
_GRACE_S = 120.0
"""What a child may take beyond the device's timeout: building the device, compiling."""

NO_CHECKS = "access checks were not run: this device has no checked build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to check.

    file    the kernel file, as the user names it
    kernel  entry point; empty: the only one
    grid    and block: three extents; shared: bytes of dynamic shared memory
    args    argument texts; archs: parts; define, include: for the compiler
    save    folder for the buffers after the run; None: nowhere
    """

    file: str
    kernel: str = ""
    grid: tuple[int, int, int] = (1, 1, 1)
    block: tuple[int, int, int] = (1, 1, 1)
    shared: int = 0
    args: tuple[str, ...] = ()
    archs: tuple[str, ...] = ("gfx942", "gfx1100")
    define: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    seed: int = 0
    timeout_s: float = 10.0
    save: str | None = None

    @property
    def launch_text(self) -> str:
        """The launch in words, for findings."""
        grid, block = (",".join(map(str, extent)) for extent in (self.grid, self.block))
        return f"grid {grid}, block {block}, shared {self.shared}, args {' '.join(self.args)}"


def describe(request: Request, choice: str) -> list[dict[str, Any]]:
    """Return the kernels of a file with their parameters; raises CompileError."""
    arch = request.archs[0]
    result = run_in_child(
        "hipaudit.job:describe", asdict(request), choice=choice, settings={"arch": arch}
    )
    if result.value is None:
        message = result.death["message"] if result.death else "the child returned nothing"
        raise HipauditError(f"{request.file} could not be described: {message}")
    kernels: list[dict[str, Any]] = result.value
    return kernels


def check(
    request: Request,
    choice: str,
    replay: str,
    *,
    device_title: str,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run the checks on every part and return what they found; *progress* hears what runs.

    Raises UsageError and CompileError as the child does.
    """
    symboliser = Symboliser()
    findings: list[Finding] = []
    ran: list[Launches] = []
    notes: list[str] = []
    silent: list[str] = []
    more = 0
    barriers: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        kept = Path(folder)
        for arch in request.archs:
            for build, result in _builds(request, choice, arch, notes, progress, kept):
                reader = _reader(request, replay, result, symboliser)
                found = reader.findings(_records(request, result, build))
                if any(one.arch == arch and one.severity != "info" for one in findings):
                    # What a kernel copied from memory that nobody wrote looks like a gap.
                    found = tuple(one for one in found if one.kind != "unwritten-output")
                findings += found
                more += unlisted(result.records)
                counted = launches(result.records)
                ran += counted
                barriers.setdefault(arch, []).extend(hygiene.rows(result.value or {}, reader))
                faulty = any(finding.severity != "info" for finding in found)
                why = None if faulty else _silence(arch, build, counted, result.value or {})
                silent += [why] if why else []
        if choice == "emulated" and not any(one.severity != "info" for one in findings):
            progress("other orders of blocks and waves")
            findings += reader.findings(_between_widths(request, choice, kept, result.value or {}))
    together = grouped(_without_needed(findings, barriers), more=more)
    void = None if together.at_or_above("warning") else "; ".join(silent) or None
    rows = kernel_rows(ran)
    for row in rows:
        row["barriers"] = barriers.get(row["arch"], [])
    return Outcome(
        device_title,
        ",".join(request.archs),
        rows,
        together,
        tuple(dict.fromkeys(notes)),
        void,
    )


def _without_needed(
    findings: Iterable[Finding], barriers: Mapping[str, list[dict[str, Any]]]
) -> list[Finding]:
    """Return the findings without barriers that are redundant on one part and not on another."""
    wanted = {
        (row["file"], row["line"])
        for rows in barriers.values()
        for row in rows
        if row["verdict"] != hygiene.REDUNDANT
    }
    return [
        one
        for one in findings
        if one.kind != "redundant-barrier"
        or one.location is None
        or (one.location.file, one.location.line) not in wanted
    ]


def _between_widths(
    request: Request, choice: str, kept: Path, value: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return a record for each buffer that parts leave differently, and no order on one part."""
    if len(request.archs) != len(_WAVES) or not value.get("kept"):
        return []
    one, other = request.archs
    found = list(widths.differences(request.args, kept / one, kept / other))
    for arch in request.archs if found else ():
        for order in widths.ORDERS:
            _run(request, choice, arch, _PLAIN, keep=kept / f"{arch}-{order}", order=order)
            moved = widths.differences(request.args, kept / arch, kept / f"{arch}-{order}")
            indices = {each.index for each in moved}
            found = [each for each in found if each.index not in indices]
    return [widths.record(request.file, value, (one, other), each) for each in found]


def _builds(
    request: Request,
    choice: str,
    arch: str,
    notes: list[str],
    progress: Callable[[str], None],
    kept: Path,
) -> Iterator[tuple[str, ChildResult]]:
    """Yield the runs of one part: checked, then plain unless the first found an error."""
    if choice == "emulated":
        progress(f"{arch}, every access checked")
        checked = _run(request, choice, arch, _CHECKED)
        if (checked.value or {}).get("unsupported"):
            notes.append(NO_CHECKS)
        else:
            yield _CHECKED, checked
            if checked.death or _has_errors(checked):
                notes.append("the plain build was not run where the checked one found an error")
                return
    else:
        notes.append("access checks were not run: they need the emulated device")
    progress(f"{arch}, as it is")
    yield _PLAIN, _run(request, choice, arch, _PLAIN, keep=kept / arch)


def _run(
    request: Request,
    choice: str,
    arch: str,
    build: str,
    *,
    keep: Path | None = None,
    order: int = 0,
) -> ChildResult:
    # The build is set by the job: the library says whether it has a checked one.
    settings = {"arch": arch, "timeout": str(request.timeout_s), "build": _PLAIN}
    settings |= {"order_seed": str(order)} if order else {}
    return run_in_child(
        "hipaudit.hygiene:launch",
        {**asdict(request), "build": build, "keep": str(keep) if keep else None}
        | ({"save": None} if order else {}),
        choice=choice,
        settings=settings,
        limit_s=request.timeout_s * 2 + _GRACE_S,
    )


def _has_errors(result: ChildResult) -> bool:
    return any(
        record.get("record") == "finding" and record.get("severity") == "error"
        for record in result.records
    )


def _records(request: Request, result: ChildResult, build: str) -> list[Mapping[str, Any]]:
    """Return the journal's findings, and one for what the journal does not explain."""
    records: list[Mapping[str, Any]] = list(result.records)
    explained = any(_is_wrong(record) for record in records)
    if result.death:
        records.append({**result.death, "build": build})
    elif not explained and result.value and result.value.get("status"):
        records.append(_refused(result.value, build))
    elif result.value:
        gaps = () if explained else result.value.get("unwritten")
        records += observations(request, {**result.value, "unwritten": gaps}, build)
    return records


def _is_wrong(record: Mapping[str, Any]) -> bool:
    return record.get("record") == "finding" and record.get("severity") != "info"


def observations(request: Request, value: Mapping[str, Any], build: str) -> list[Mapping[str, Any]]:
    """Return the records for what shows after a launch: gaps in outputs, and needless things."""
    gaps = value.get("unwritten") or ()
    found: list[Mapping[str, Any]] = [_unwritten(request, value, gap, build) for gap in gaps]
    return found + hygiene.findings(request.file, value, build)


def _unwritten(
    request: Request, value: Mapping[str, Any], entry: Mapping[str, Any], build: str
) -> Mapping[str, Any]:
    """Return the record for an output with elements that nothing was written to.

    An error where the output was said to start uninitialised, or where the same elements stay
    unwritten whatever the inputs; else the inputs may be what says where to write.
    """
    by_inputs = entry["moves"] and not entry["promised"]
    offset = entry["first"] * (entry["size"] // entry["of"])
    kernel = str(value["kernel"])
    line = definition_line(Path(request.file), kernel.partition("<")[0].rpartition("::")[2])
    return {
        "record": "finding",
        "kind": "unwritten-output",
        "severity": "warning" if by_inputs else "error",
        "kernel": kernel,
        "arch": value["arch"],
        "build": build,
        "message": f"{entry['count']:,} of {entry['of']:,} elements of {entry['name']} were never "
        f"written, from element {entry['first']:,} on"
        f"{'; other inputs leave out others' if by_inputs else ''}"
        "; start it as zeros if gaps are meant",
        "address_space": "global",
        "allocation": {"name": entry["name"], "size": entry["size"], "offset": offset},
        "location": {
            "file": request.file,
            "line": line,
        },
    }


def _refused(value: Mapping[str, Any], build: str) -> Mapping[str, Any]:
    """Return a finding for a launch that HIP refused or that failed without a word."""
    status = str(value["status"])
    refused = status.startswith("hipModuleLaunchKernel")
    return {
        "record": "finding",
        "kind": "launch-limit" if refused else "undefined-behaviour",
        "severity": "error",
        "kernel": value["kernel"],
        "arch": value["arch"],
        "build": build,
        "message": status,
    }


def _reader(request: Request, replay: str, result: ChildResult, symboliser: Symboliser) -> Reader:
    names = (result.value or {}).get("names", {})
    return Reader(
        replay=replay,
        input=request.launch_text,
        names={int(address): name for address, name in names.items()},
        symboliser=symboliser,
        file=request.file,
    )


def _silence(
    arch: str, build: str, counted: tuple[Launches, ...], value: Mapping[str, Any]
) -> str | None:
    """Return why a run without findings shows nothing."""
    if not counted or not sum(entry.threads for entry in counted):
        return f"{arch}, {build} build: no kernel ran"
    if build == _CHECKED and not value.get("instrumented", True):
        return f"{arch}: no memory access was instrumented"
    if build == _CHECKED and not sum(entry.accesses for entry in counted):
        return f"{arch}: the threads that ran accessed no memory"
    return None
