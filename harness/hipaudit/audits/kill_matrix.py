"""The kill matrix: every fault of the corpus, at every width, found where it lies or not.

A fault is killed at a width when a finding of its kind and severity names its lines, nothing else
is accused, and its clean twin is silent. A clean kernel passes when it is silent. How a kernel is
checked is the caller's: a function from fault, width and twin to what was observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias, get_args

from hipaudit.audits.fault_corpus import HYGIENE_KINDS, Fault, Mark, Side, Width
from hipaudit.finding import Finding, Location

Lines: TypeAlias = tuple[int | None, int | None]

_UNINITIALISED: Final = frozenset({"uninitialised-read-shared", "uninitialised-read-global"})
_NARROWER: Final = frozenset({"race-wave", "wave-size-dependence"})

SAME_CAUSE: Final[Mapping[str, frozenset[str]]] = {
    "race-shared": _NARROWER | _UNINITIALISED,
    "race-global": _NARROWER | _UNINITIALISED,
    "race-grid": _UNINITIALISED,
    "race-wave": _UNINITIALISED,
    "wave-size-dependence": _UNINITIALISED | {"race-wave", "race-shared"},
    "barrier-without-fence": _NARROWER,
}
"""What a fault may also be found as, at its own lines: two waves that race are two waves whose
lanes may race too, and a read that comes before its write reads what nobody wrote."""

CUTS_OFF: Final = frozenset(
    {"deadlock", "timeout", "wild-access", "stack-overflow", "undefined-behaviour"}
)
"""Faults that end the launch: what the kernel would have written later stays unwritten."""


class Checker(Protocol):
    """Runs one kernel of the corpus under the checks that its judge needs."""

    def __call__(self, fault: Fault, width: Width, *, twin: bool) -> Iterable[Finding]:
        """Return what was found; raises where the kernel did not compile or run."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One cell row of the matrix: a fault, or a clean kernel, at one width.

    wanted   whether a finding is wanted at this width
    found    the findings that name the fault, kind, severity and lines
    strays   what else was found in the fault's build
    twin     what was found in the clean twin; for a clean kernel, in the kernel
    """

    fault: Fault
    width: Width
    wanted: bool
    found: tuple[Finding, ...]
    strays: tuple[Finding, ...]
    twin: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Found if wanted, nothing else accused, the twin silent."""
        return bool(self.found) == self.wanted and not self.strays and not self.twin

    @property
    def verdict(self) -> str:
        """``killed``, ``silent`` where silence is wanted, else what went wrong."""
        if self.passed:
            return "killed" if self.wanted else "silent"
        if self.wanted and not self.found:
            return "missed"
        return "twin accused" if self.twin else "stray finding"


def kill_matrix(faults: Iterable[Fault], check: Checker) -> Iterator[Kill]:
    """Yield a row for each fault and width, in the corpus's order."""
    for fault in faults:
        for width in widths_to_run(fault):
            yield judge(fault, width, check)


def widths_to_run(fault: Fault) -> tuple[Width, ...]:
    """Return both widths, one after the other, unless the fault shows in one run of both only."""
    return ("both",) if fault.widths == ("both",) else ("32", "64")


def judge(fault: Fault, width: Width, check: Checker) -> Kill:
    """Check a fault and its twin at one width."""
    if fault.clean:
        accused = tuple(check(fault, width, twin=False))
        return Kill(fault, width, wanted=False, found=(), strays=(), twin=accused)
    twin = tuple(check(fault, width, twin=True)) if fault.has_twin else ()
    wanted = width in fault.widths
    found, strays = [], []
    for one in check(fault, width, twin=False):
        if wanted and names(one, fault, width):
            found.append(one)
        elif not excused(one, fault, width):
            strays.append(one)
    return Kill(fault, width, wanted, tuple(found), tuple(strays), twin)


def names(one: Finding, fault: Fault, width: Width) -> bool:
    """Tell whether a finding is the fault: its kind, its severity, its lines."""
    marks = [m for m in fault.expected(width) if m.required and one.kind in m.kinds]
    return one.severity in fault.severities and _at_marks(_lines(one, fault), marks)


def excused(one: Finding, fault: Fault, width: Width) -> bool:
    """Tell whether a finding beside the fault follows from it, or is mere hygiene."""
    if one.kind in HYGIENE_KINDS and fault.kind not in HYGIENE_KINDS:
        return True
    if one.kind in fault.beside or (one.kind == "unwritten-output" and fault.kind in CUTS_OFF):
        return True
    marks = fault.expected(width) if width in fault.widths else ()
    sides = _lines(one, fault)
    if _at_marks(sides, [mark for mark in marks if one.kind in mark.kinds]):
        return True
    related = (m for m in marks if any(one.kind in SAME_CAUSE.get(k, ()) for k in m.kinds))
    return _at_lines(sides, {mark.line for mark in related})


def _at_lines(sides: Lines, lines: set[int]) -> bool:
    """Tell whether every line that a finding names is one of *lines*."""
    named = {line for line in sides if line is not None}
    return bool(named) and named <= lines


def _at_marks(sides: Lines, marks: list[Mark]) -> bool:
    """Tell whether a finding's line, or its two lines in either order, are those of the marks."""
    at, write, other = ({m.line for m in marks if m.side == side} for side in get_args(Side))
    if at:
        return sides[0] in at and (not other or sides[1] is None or sides[1] in other)
    return any(a in write and b in other for a, b in (sides, sides[::-1]))


def _lines(one: Finding, fault: Fault) -> tuple[int | None, int | None]:
    """Return both lines of a finding; None for one in another file or not known."""
    return _line(one.location, fault), _line(one.other_location, fault)


def _line(location: Location | None, fault: Fault) -> int | None:
    if location is None or Path(location.file).name != fault.path.name:
        return None
    return location.line or None
