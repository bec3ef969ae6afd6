"""Buffer copies: every copy of the workload by call site, and which of them need not be."""

from __future__ import annotations

from collections.abc import Sequence

from hipaudit.audits.decoding import Decoding
from hipaudit.audits.memory_page import MemoryAudit, chain
from hipaudit.finding import Finding
from hipaudit.memory import Copies, at_own_lines
from hipaudit.memory_hygiene import hygiene_findings, is_pageable
from hipaudit.text import plural, size

KINDS = ("redundant-copy", "pageable-async-copy")
_UP, _DOWN = "host_to_device", "device_to_host"


def audit(run: Decoding) -> MemoryAudit:
    """Return the copies of a run; the sites that move the most come first."""
    copies = sorted(
        at_own_lines(run.memory.copies if run.memory else ()),
        key=lambda entry: (-entry.bytes, entry.direction, chain(entry.location)),
    )
    found = hygiene_findings(run.memory, run.arch) if run.memory else []
    mine = tuple(finding for finding in found if finding.kind in KINDS)
    return MemoryAudit(
        name="buffer_copies",
        title="Buffer copies",
        question="Which bytes move between host and device for one token, and which need not?",
        run=run,
        columns=("Call", "Called by", "Direction", "Memory", "Stream", "Copies", "Bytes",
                 "Bytes a token", "Repeats", "Suggested"),
        numeric=frozenset({5, 6, 7, 8}),
        rows=tuple(_row(entry, run.tokens) for entry in copies),
        totals=_totals(copies, run.tokens),
        checks=_checks(copies, mine),
        findings=mine,
    )  # fmt: skip


def _row(entry: Copies, tokens: int) -> tuple[str, ...]:
    return (
        entry.location.call,
        chain(entry.location),
        entry.direction.replace("_", " "),
        f"{entry.source} to {entry.target}",
        entry.stream,
        f"{entry.count:,}",
        f"{entry.bytes:,}",
        f"{entry.bytes // tokens:,}",
        f"{entry.repeats:,}",
        suggestion(entry),
    )


def suggestion(entry: Copies) -> str:
    """Return what would be better, and nothing where the copy is as it should be."""
    if entry.repeats:
        return "copy once"
    if entry.asynchronous and is_pageable(entry):
        return "pinned memory"
    return ""


def _totals(copies: Sequence[Copies], tokens: int) -> tuple[str, ...]:
    lines = []
    for direction, words in ((_UP, "to the device"), (_DOWN, "to the host")):
        these = [entry for entry in copies if entry.direction == direction]
        count, moved = sum(e.count for e in these), sum(e.bytes for e in these)
        lines.append(
            f"{plural(count, 'copy', 'copies')} of {size(moved)} {words}: "
            f"{size(moved // tokens)} a token, from {plural(len(these), 'call site')}."
        )
    return tuple(lines)


def _checks(copies: Sequence[Copies], found: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    def verdict(kind: str) -> str:
        count = sum(finding.kind == kind for finding in found)
        return plural(count, "site") if count else "none"

    waiting = sum(entry.asynchronous for entry in copies)
    return (
        ("copies that bring what the destination holds already", verdict("redundant-copy")),
        (
            f"asynchronous copies with pageable memory, of {plural(waiting, 'asynchronous site')}",
            verdict("pageable-async-copy"),
        ),
    )
