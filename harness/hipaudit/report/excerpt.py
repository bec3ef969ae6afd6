"""Source lines around a location, and sentences about one side of a finding."""

from __future__ import annotations

import linecache
from dataclasses import dataclass

from hipaudit.finding import Finding, Location
from hipaudit.stacks import without_runners
from hipaudit.text import inert

_AROUND = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A source line, made inert; *marked* is the one that the finding is about."""

    number: int
    text: str
    marked: bool


def excerpt(location: Location, around: int = _AROUND) -> tuple[Line, ...]:
    """Return the lines around a location; none when the source cannot be read."""
    if not location.line:
        return ()
    lines = linecache.getlines(location.file)
    first = max(1, location.line - around)
    last = min(len(lines), location.line + around)
    return tuple(
        Line(number, inert(lines[number - 1].rstrip("\n")), number == location.line)
        for number in range(first, last + 1)
    )


def block(location: Location) -> str:
    """Return the lines around a location as text, the one it names marked; empty without any."""
    return "\n".join(
        f"{'>' if line.marked else ' '} {line.number:5} | {line.text}" for line in excerpt(location)
    )


def sides(finding: Finding) -> tuple[tuple[str, Location], ...]:
    """Return every place that a finding is about, with what it is."""
    memory = finding.allocation
    born = memory.born if memory else None
    freed = memory.freed if memory else None
    named = (
        ("at", finding.location),
        ("against", finding.other_location),
        ("called at", finding.called),
        ("made at", born if born != finding.location else None),
        ("freed at", freed if freed not in {finding.location, finding.other_location} else None),
    )
    return tuple((label, location) for label, location in named if location is not None)


def place(location: Location) -> str:
    """Return ``file:line``, as much of it as is known."""
    if not location.file:
        return "unknown place"
    return inert(f"{location.file}:{location.line}" if location.line else location.file)


def who(location: Location) -> str:
    """Return who was there: block, thread, wave and lane."""
    parts = [location.call] if location.call else []
    if location.block:
        parts.append(f"block {_triple(location.block)}")
    if location.thread:
        parts.append(f"thread {_triple(location.thread)}")
    if location.wave is not None:
        parts.append(f"wave {location.wave}")
    if location.lane is not None:
        parts.append(f"lane {location.lane}")
    return ", ".join(parts)


def _triple(index: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, index))})"


def what(finding: Finding) -> str:
    """Return what was touched: access, bytes, address space and allocation."""
    parts = [part for part in (finding.access, finding.address_space) if part]
    if finding.bytes:
        parts.insert(1 if finding.access else 0, f"of {finding.bytes} bytes in")
    memory = finding.allocation
    if memory is not None:
        name = f" of {memory.name}" if memory.name else ""
        parts.append(f"memory, byte {memory.offset}{name} ({memory.size} bytes)")
    elif finding.address_space:
        parts.append("memory")
    return inert(" ".join(parts))


def steps(location: Location) -> tuple[str, ...]:
    """Return how a place was reached: the calls above a HIP call, or inlined calls in a kernel."""
    if len(location.frames) < 2:
        return ()
    shown = without_runners(location.frames)
    if location.call:
        here = (location.function, location.file, location.line)
        places = [(frame.function, frame.file, frame.line) for frame in shown]
        shown = shown[places.index(here) + 1 :] if here in places else shown
    return tuple(
        inert(f"{frame.function or '?'} at {frame.file}:{frame.line}")
        for frame in shown
        if frame.line
    )
