"""A sweep: kernels tried over a range of sizes with inputs whose right answer is exact or bounded.

Runs in a child, as everything does that runs kernels; what a page shows is computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hipaudit.child import run_in_child
from hipaudit.finding import Finding, Location, Reader, definition_line, identified
from hipaudit.launches import Launches, launches
from hipaudit.resources import shown_kernel_path

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep shows.

    name      of the page; question: what it answers; numeric: columns that hold numbers
    columns, rows  a line a kernel and part
    totals    sentences computed from the run
    only      what ``hipaudit audit --only`` calls it; empty: the last word of its name
    steps     of the host that were held against a rule, where no kernel is needed
    facts     what differs between machines and moments: kept beside the pages, not in them
    """

    name: str
    title: str
    question: str
    columns: Row
    numeric: frozenset[int]
    rows: tuple[Row, ...]
    totals: tuple[str, ...]
    findings: tuple[Finding, ...]
    launches: tuple[Launches, ...]
    only: str = ""
    steps: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def void(self) -> str | None:
        """Why the sweep shows nothing; None when it does."""
        if self.findings or self.steps or sum(entry.launches for entry in self.launches):
            return None
        return f"{self.title}: no kernel ran"


@dataclass(frozen=True, slots=True)
class Tried:
    """A child's answer: an entry a kernel and part, what the device found, what was launched."""

    entries: tuple[dict[str, Any], ...]
    faults: tuple[Finding, ...]
    launches: tuple[Launches, ...]


def try_in_child(
    target: str,
    archs: Sequence[str],
    device: str,
    tick: Callable[[], None],
    settings: Mapping[str, str],
) -> Tried:
    """Run a sweep's function in a child; *tick* is called for each of its steps."""
    result = run_in_child(
        target, {"archs": list(archs)}, choice=device, settings=settings, progress=lambda _: tick()
    )
    reader = Reader()
    found = reader.findings(result.records)
    if result.death is not None:
        found += reader.findings([result.death])
    entries = tuple(result.value["entries"]) if result.value else ()
    return Tried(entries, found, launches(result.records))


def wrong(
    entry: Mapping[str, Any], source: str, replay: str, kind: str = "bound-exceeded"
) -> Finding:
    """The finding for a kernel whose answer was wrong."""
    path = shown_kernel_path(source)
    kernel = str(entry["kernel"])
    draft = Finding(
        id="",
        kind=kind,
        severity="error",
        kernel=kernel,
        arch=str(entry["arch"]),
        message=str(entry["first"]),
        count=int(entry["wrong"]),
        location=Location(str(path), definition_line(path, kernel), kernel),
        input=str(entry["input"]),
        replay=replay,
    )
    return identified(draft)
