"""What the ledger saw of memory: live bytes over time, who owns them, copies, waits.

A journal's ``memory``, ``copies`` and ``synchronisations`` records, the last ones of each process,
as plain data that the terminal, JSON, pages and plots show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from hipaudit.finding import Location, called_from
from hipaudit.symbolise import Frame, Symboliser


@dataclass(frozen=True, slots=True)
class Uses:
    """What was done with the memory of one call site: copies into and out of it, fills, launches.

    launches  how often a pointer into it was among a kernel's arguments
    """

    copied_to: int = 0
    copied_to_bytes: int = 0
    copied_from: int = 0
    copied_from_bytes: int = 0
    async_copies: int = 0
    fills: int = 0
    launches: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that one call site allocated.

    kind        device, host, async, ...
    bytes       allocated in all; live_bytes: at the end; peak_bytes: at the moment of the peak
    """

    location: Location
    kind: str
    allocations: int
    frees: int
    bytes: int
    live_bytes: int
    peak_bytes: int
    uses: Uses = Uses()

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "location": self.location.as_json(),
            "kind": self.kind,
            "allocations": self.allocations,
            "frees": self.frees,
            "bytes": self.bytes,
            "live_bytes": self.live_bytes,
            "peak_bytes": self.peak_bytes,
            "uses": asdict(self.uses),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """A point of the timeline: live bytes and allocations, and the most bytes since the last."""

    t_ms: float
    bytes: int
    allocations: int
    peak: int


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies and fills of one call site in one direction and stream.

    direction       host_to_device, ..., or fill
    source, target  pageable, pinned, registered, managed, device, ...
    repeats         copies that brought what the destination held already
    """

    location: Location
    direction: str
    source: str
    target: str
    stream: str
    asynchronous: bool
    count: int
    bytes: int
    smallest: int
    largest: int
    repeats: int
    repeat_bytes: int

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "location": self.location.as_json(),
            "direction": self.direction,
            "source": self.source,
            "destination": self.target,
            "stream": self.stream,
            "async": self.asynchronous,
            "count": self.count,
            "bytes": self.bytes,
            "min_bytes": self.smallest,
            "max_bytes": self.largest,
            "repeats": self.repeats,
            "repeat_bytes": self.repeat_bytes,
        }


@dataclass(frozen=True, slots=True)
class Waits:
    """The host's waits at one call site.

    hidden    the call waits though its name does not say so; reason: why
    needless  how often nothing was pending
    """

    location: Location
    stream: str
    hidden: bool
    reason: str
    count: int
    needless: int

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "location": self.location.as_json(),
            "stream": self.stream,
            "hidden": self.hidden,
            "reason": self.reason,
            "count": self.count,
            "needless": self.needless,
        }


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What a run did with memory, over its processes.

    allocations, frees, bytes  in all
    live_bytes, live           at the end
    peak_bytes, peak_ms        the high-water mark of the process that went highest, and when
    sites     by call site, the owners of the peak first
    timeline  of that process
    """

    allocations: int
    frees: int
    bytes: int
    live_bytes: int
    live: int
    peak_bytes: int
    peak_ms: float
    sites: tuple[Site, ...]
    timeline: tuple[Step, ...]
    copies: tuple[Copies, ...]
    waits: tuple[Waits, ...]

    @property
    def owners(self) -> tuple[Site, ...]:
        """The call sites that held memory at the peak, the largest first.

        Of several that allocate through one helper each is at the innermost line that is its own.
        """
        return tuple(at_own_lines([site for site in self.sites if site.peak_bytes]))

    @property
    def calls(self) -> int:
        """How many calls the ledger tracked here: what its verdict rests on."""
        copied = sum(entry.count for entry in self.copies)
        return self.allocations + self.frees + copied + sum(wait.count for wait in self.waits)

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "allocations": self.allocations,
            "frees": self.frees,
            "bytes": self.bytes,
            "live_bytes": self.live_bytes,
            "live": self.live,
            "peak_bytes": self.peak_bytes,
            "peak_ms": self.peak_ms,
            "sites": [site.as_json() for site in self.sites],
            "timeline": [[s.t_ms, s.bytes, s.allocations, s.peak] for s in self.timeline],
            "copies": [entry.as_json() for entry in self.copies],
            "synchronisations": [wait.as_json() for wait in self.waits],
        }


def memory_use(
    records: Iterable[Mapping[str, Any]], symboliser: Symboliser | None = None
) -> MemoryUse | None:
    """Return what a journal's records say; None when no process had a ledger."""
    last: dict[tuple[str, int], Mapping[str, Any]] = {}
    for record in records:
        last[str(record.get("record")), int(record.get("pid") or 0)] = record
    reading = symboliser or Symboliser()
    memories = [entry for (what, _), entry in sorted(last.items()) if what == "memory"]
    if not memories:
        return None
    highest = max(memories, key=lambda entry: int(entry["peak"]["bytes"]))
    sites = [_site(site, reading) for entry in memories for site in entry["sites"]]
    sites.sort(key=lambda s: (-s.peak_bytes, -s.bytes, s.location.file, s.location.line))
    return MemoryUse(
        allocations=_sum(memories, "allocations"),
        frees=_sum(memories, "frees"),
        bytes=_sum(memories, "bytes"),
        live_bytes=sum(int(entry["live"]["bytes"]) for entry in memories),
        live=sum(int(entry["live"]["allocations"]) for entry in memories),
        peak_bytes=int(highest["peak"]["bytes"]),
        peak_ms=float(highest["peak"]["t_ms"]),
        sites=tuple(sites),
        timeline=tuple(Step(*step) for step in highest["timeline"]),
        copies=tuple(_copies(entry, reading) for entry in _sites(last, "copies")),
        waits=tuple(_waits(entry, reading) for entry in _sites(last, "synchronisations")),
    )


def _sum(memories: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(int(entry[name]) for entry in memories)


def _sites(last: Mapping[tuple[str, int], Mapping[str, Any]], what: str) -> list[Mapping[str, Any]]:
    found = [entry for (name, _), entry in sorted(last.items()) if name == what]
    return [site for entry in found for site in entry["sites"]]


def _site(site: Mapping[str, Any], symboliser: Symboliser) -> Site:
    return Site(
        called_from(site["stack"], str(site["call"]), symboliser),
        str(site["kind"]),
        int(site["allocations"]),
        int(site["frees"]),
        int(site["bytes"]),
        int(site["live_bytes"]),
        int(site["peak_bytes"]),
        Uses(**{name: int(site["uses"][name]) for name in Uses.__dataclass_fields__}),
    )


def _copies(site: Mapping[str, Any], symboliser: Symboliser) -> Copies:
    return Copies(
        called_from(site["stack"], str(site["call"]), symboliser),
        str(site["direction"]),
        str(site["source"]),
        str(site["destination"]),
        str(site["stream"]),
        bool(site["async"]),
        int(site["count"]),
        int(site["bytes"]),
        int(site["min_bytes"]),
        int(site["max_bytes"]),
        int(site["repeats"]),
        int(site["repeat_bytes"]),
    )


def _waits(site: Mapping[str, Any], symboliser: Symboliser) -> Waits:
    return Waits(
        called_from(site["stack"], str(site["call"]), symboliser),
        str(site["stream"]),
        bool(site["hidden"]),
        str(site["reason"]),
        int(site["count"]),
        int(site["needless"]),
    )


_Entry = TypeVar("_Entry", Site, Copies, Waits)


def at_own_lines(entries: Sequence[_Entry]) -> list[_Entry]:
    """Each entry at the innermost line that no other one was called through."""
    stacks = [_stack(entry.location) for entry in entries]
    known = Counter(stack[:n] for stack in stacks for n in range(1, len(stack) + 1))
    told = []
    for entry, stack in zip(entries, stacks, strict=True):
        own = (stack[n - 1] for n in range(1, len(stack) + 1) if known[stack[:n]] == 1)
        frame = next(own, stack[0])
        there = replace(entry.location, file=frame.file, line=frame.line, function=frame.function)
        told.append(replace(entry, location=there))
    return told


def _stack(location: Location) -> tuple[Frame, ...]:
    """The frames from the one that a location shows, innermost first."""
    shown = Frame(location.function, location.file, location.line)
    frames = location.frames
    return frames[frames.index(shown) :] if shown in frames else (shown,)
