"""What a memory audit shows: a table by call site, its findings, and how they were decided."""

from __future__ import annotations

from dataclasses import dataclass

from hipaudit.audits.decoding import Decoding
from hipaudit.finding import Finding, Location

Row = tuple[str, ...]

_MOST_CALLERS = 6


@dataclass(frozen=True, slots=True)
class MemoryAudit:
    """One audit of the workload's memory.

    name      of the page; title: its headline; question: what the audit answers
    numeric   which columns hold numbers
    totals    sentences computed from the run
    checks    what was looked for, and what came out
    """

    name: str
    title: str
    question: str
    run: Decoding
    columns: Row
    numeric: frozenset[int]
    rows: tuple[Row, ...]
    totals: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]


def chain(location: Location) -> str:
    """Return the functions that led to a call, innermost first: ``upload < rms_norm < forward``."""
    names = [frame.function.rpartition(".")[2] or "?" for frame in location.frames if frame.line]
    if location.function:
        wanted = location.function.rpartition(".")[2]
        names = names[names.index(wanted) :] if wanted in names else names
    shown = names[:_MOST_CALLERS]
    return " < ".join(shown)
