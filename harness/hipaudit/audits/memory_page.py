"""What a memory audit shows: a table by call site, its findings, and how they were decided."""

from __future__ import annotations

from dataclasses import dataclass

from hipaudit.audits.decoding import Decoding
from hipaudit.finding import Finding, Location
from hipaudit.symbolise import Frame

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
    """Return the functions that led to a call, from the shown one on: ``load:7 < init < main``."""
    shown = Frame(location.function, location.file, location.line)
    frames = [frame for frame in location.frames if frame.line]
    frames = frames[frames.index(shown) :] if shown in frames else frames
    names = [frame.function.rpartition(".")[2] or "?" for frame in frames[:_MOST_CALLERS]]
    return " < ".join([f"{name}:{frames[0].line}" for name in names[:1]] + names[1:])
