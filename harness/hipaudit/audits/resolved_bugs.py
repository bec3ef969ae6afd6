"""The ledger of resolved bugs, on seeded faults and their clean twins.

Each fault is checked as it is and then as its twin, as two versions of one file; the history says
first seen, last seen, fixed in; and the regression test is run on both, so that what the ledger
says of a fix is seen to be true.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hipaudit import checking, regression
from hipaudit.audits.fault_corpus import Fault, read_fault
from hipaudit.audits.fault_runs import request_of
from hipaudit.finding import Findings
from hipaudit.history import Entry, Subject, history
from hipaudit.outcome import Outcome
from hipaudit.resources import kernels_folder

PAIRS = (
    "race-shared/max_no_barrier_before",
    "uninitialised-read-shared/scores_unguarded",
    "out-of-bounds-global/tail_guard",
    "barrier-divergence/early_return",
)
_OLD, _NEW = "fault", "twin"
_ARCH = "gfx942"


@dataclass(frozen=True, slots=True)
class ResolvedBugs:
    """The ledger's entries; *void* says why it shows nothing."""

    entries: tuple[Entry, ...]
    void: str | None = None


def planned() -> int:
    """Return the steps of the audit: two runs and a verification a pair."""
    return 3 * len(PAIRS)


def audit(tick: Callable[[], None] = lambda: None) -> ResolvedBugs:
    """Check each pair as two versions, and verify the fix by running the test on both."""
    with tempfile.TemporaryDirectory(prefix="hipaudit-versions-") as temporary:
        folder = Path(temporary)
        with history(folder / "history.sqlite", write=True) as opened:
            for name in PAIRS:
                fault = read_fault(kernels_folder() / "faults" / f"{name}.hip")
                subject = _subject(fault)
                for version in (_OLD, _NEW):
                    path = _write(fault, folder, version)
                    opened.record(_check(fault, path), subject, version, whole=True)
                    tick()
            for entry in opened.entries():
                if entry.fixed_in:
                    seen = regression.compare(entry, folder / _OLD, folder / _NEW, _NEW)
                    opened.set_verification(entry.id, seen)
                    tick()
            entries = tuple(replace(one, file=Path(one.file).name) for one in opened.entries())
    fixed = sum(bool(entry.fixed_in) for entry in entries)
    return ResolvedBugs(entries, None if fixed else "no fault was found, so no fix was seen")


def _subject(fault: Fault) -> Subject:
    return Subject(("check", fault.path.name, *fault.run, "--arch", _ARCH), fault.kind)


def _write(fault: Fault, folder: Path, version: str) -> Path:
    """Write one version of a pair; its folder is a repository's, so that files have names."""
    path = folder / version / fault.kind / fault.path.name
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / version / ".git").mkdir(exist_ok=True)
    head = "#define TWIN 1\n" if version == _NEW else ""
    path.write_text(head + fault.path.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def _check(fault: Fault, path: Path) -> Outcome:
    """Check a version as the command line does; paths that are this run's own are left out."""
    request = replace(request_of(replace(fault, path=path)), archs=(_ARCH,))
    outcome = checking.check(request, "emulated", "", device_title="emulated device")
    errors = tuple(one for one in outcome.findings.items if one.severity == "error")
    return replace(outcome, findings=Findings(errors, outcome.findings.dropped))
