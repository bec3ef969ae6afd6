"""What a run did that costs time and need not: copies that bring nothing new, hidden waits.

Findings of the class PF, from what the ledger counted; for the inputs that were run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hipaudit.finding import Finding, Severity, identified
from hipaudit.memory import Copies, MemoryUse, Waits
from hipaudit.text import plural, size

_FILL = "fill"
_A_LOOP = 8
"""Waits at one site from which on it is no longer a program's beginning or end."""


def hygiene_findings(memory: MemoryUse, arch: str, replay: str | None = None) -> list[Finding]:
    """Return the PF findings of a run: at most one a call site and kind."""
    shared: dict[str, Any] = {"arch": arch, "replay": replay}
    found = [*_redundant(memory, shared), *_pageable(memory, shared), *_hidden(memory, shared)]
    return [identified(one) for one in found]


def _redundant(memory: MemoryUse, shared: dict[str, Any]) -> Iterator[Finding]:
    """Yield the sites whose copies brought what the destination held already."""
    for copies in memory.copies:
        if copies.repeats and copies.direction != _FILL:
            yield _of_copies(
                "redundant-copy",
                copies,
                copies.repeats,
                f"{copies.repeats:,} of {plural(copies.count, 'copy', 'copies')} "
                f"({size(copies.repeat_bytes)}) brought what the destination held already: "
                f"copy once and keep it there",
                shared,
            )


def _pageable(memory: MemoryUse, shared: dict[str, Any]) -> Iterator[Finding]:
    """Yield the asynchronous copies that pageable memory makes wait."""
    for copies in memory.copies:
        if copies.asynchronous and is_pageable(copies):
            yield _of_copies(
                "pageable-async-copy",
                copies,
                copies.count,
                f"{plural(copies.count, 'asynchronous copy', 'asynchronous copies')} "
                f"({size(copies.bytes)}, {copies.direction.replace('_', ' ')}) with pageable "
                f"memory: the host waits for each; use memory of hipHostMalloc",
                shared,
            )


def is_pageable(copies: Copies) -> bool:
    """Tell whether a copy reads or writes pageable memory; a fill reads none."""
    return copies.direction != _FILL and "pageable" in {copies.source, copies.target}


def _of_copies(
    kind: str, copies: Copies, count: int, message: str, shared: dict[str, Any]
) -> Finding:
    return _finding(kind, "warning", count, message, copies.location, shared)


def _hidden(memory: MemoryUse, shared: dict[str, Any]) -> Iterator[Finding]:
    """Yield the calls that made the host wait for pending work though their name says nothing."""
    for waits in memory.waits:
        real = waits.count - waits.needless
        if waits.hidden and real >= _A_LOOP and not plainly_waits(waits):
            yield _finding(
                "hidden-synchronisation",
                "info",
                real,
                f"{waits.location.call} waited for pending work {plural(real, 'time')}: "
                f"{waits.reason}",
                waits.location,
                shared,
            )


def plainly_waits(waits: Waits) -> bool:
    """Tell whether everyone who writes the call knows that it waits: a copy that is not async.

    One that is async and waits has its own kind, pageable-async-copy.
    """
    return waits.location.call.startswith("hipMemcpy")


def _finding(
    kind: str, severity: Severity, count: int, message: str, location: Any, shared: dict[str, Any]
) -> Finding:
    return Finding(
        id="",
        kind=kind,
        severity=severity,
        kernel="",
        message=message,
        count=count,
        location=location,
        **shared,
    )
