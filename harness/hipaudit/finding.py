"""Finding: one root cause, both its sides, and how to see it again.

Built from the device's journal (memory, races, crashes) or from a property's verdict (numerics),
and turned into plain data that the terminal, JSON, SARIF and the report pages all show.
"""

from __future__ import annotations

import functools
import hashlib
import linecache
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hipaudit.anchor import anchor
from hipaudit.stacks import frames_of, is_harness_alone, user_frame
from hipaudit.symbolise import Frame, Marks, Symboliser

Severity: TypeAlias = Literal["error", "warning", "info"]
Status: TypeAlias = Literal["open", "confirmed", "refuted", "fixed"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
CAP = 200
"""How many findings one run reports; more root causes than that are counted, and it is said."""

_UNTOLD: set[str] = set()
"""Names that several programs have."""
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")
_OURS = (str(Path(__file__).parent / "native"), "/ziglang/lib/")


@dataclass(frozen=True, slots=True)
class Location:
    """One side of a finding.

    file, line  in the kernel's own source where the frames reach it; line 0: not known
    function    the one that line lies in
    block, thread, wave, lane  who ran it
    frames      all frames at that instruction or call, innermost first
    call        the HIP call that was made there; empty in a kernel
    marks       which statement of the line it is; None where nobody knows
    """

    file: str
    line: int = 0
    function: str = ""
    block: tuple[int, ...] = ()
    thread: tuple[int, ...] = ()
    wave: int | None = None
    lane: int | None = None
    frames: tuple[Frame, ...] = ()
    call: str = ""
    marks: Marks | None = field(default=None, compare=False)

    def text(self) -> str:
        """Return the source line, stripped; empty when it cannot be read."""
        return linecache.getline(self.file, self.line).strip() if self.line else ""

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        data: dict[str, Any] = {"file": self.file, "line": self.line, "function": self.function}
        data |= {"block": list(self.block), "thread": list(self.thread)}
        data |= {"wave": self.wave, "lane": self.lane, "call": self.call}
        data["frames"] = [
            {"function": frame.function, "file": frame.file, "line": frame.line}
            for frame in self.frames
        ]
        return data


@dataclass(frozen=True, slots=True)
class Allocation:
    """The memory or resource that an access was about: its name, extent, the access's offset.

    kind   device, host, async, stream, ...; empty where the ledger does not know it
    born   the call that made it
    freed  the call that freed it, where that came before
    """

    name: str
    address: int
    size: int
    offset: int
    kind: str = ""
    born: Location | None = None
    freed: Location | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "address": self.address,
            "size": self.size,
            "offset": self.offset,
            "kind": self.kind,
            "born": self.born.as_json() if self.born else None,
            "freed": self.freed.as_json() if self.freed else None,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One root cause on one part; *count* says how often it was seen.

    id      the same wherever and whenever the same root cause is found
    called  the host's call that led there, where *location* is in a kernel
    input   the shrunk input or the launch that triggers it
    replay  a command that shows it again
    """

    id: str
    kind: str
    severity: Severity
    kernel: str
    arch: str
    message: str
    count: int = 1
    status: Status = "open"
    build: str = "plain"
    location: Location | None = None
    other_location: Location | None = None
    address_space: str | None = None
    access: str | None = None
    bytes: int | None = None
    allocation: Allocation | None = None
    called: Location | None = None
    streams: tuple[str, ...] = ()
    input: str | None = None
    replay: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the form of the command line's JSON."""
        spot, other, memory = self.location, self.other_location, self.allocation
        return {
            "id": self.id,
            "kind": self.kind,
            "arch": self.arch,
            "severity": self.severity,
            "status": self.status,
            "kernel": self.kernel,
            "build": self.build,
            "count": self.count,
            "message": self.message,
            "location": spot.as_json() if spot else None,
            "other_location": other.as_json() if other else None,
            "address_space": self.address_space,
            "access": self.access,
            "bytes": self.bytes,
            "allocation": memory.as_json() if memory else None,
            "called": self.called.as_json() if self.called else None,
            "streams": list(self.streams),
            "input": self.input,
            "replay": self.replay,
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run found: at most CAP root causes; *dropped* more were seen and are not listed."""

    items: tuple[Finding, ...] = ()
    dropped: int = 0

    def at_or_above(self, severity: str) -> tuple[Finding, ...]:
        """Return the findings at least as severe as *severity*."""
        floor = SEVERITIES.index(_severity(severity))
        return tuple(f for f in self.items if SEVERITIES.index(f.severity) >= floor)


@dataclass(slots=True)
class Reader:
    """Turns journal records into findings.

    replay     the command that shows them again
    input      the launch they come from, in words
    names      names of allocations by address, where the caller knows them
    file       the kernel's file, for locations whose line the device could not tell
    """

    replay: str | None = None
    input: str | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    file: str = ""
    symboliser: Symboliser = field(default_factory=Symboliser)

    def findings(self, records: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
        """Return one finding a record, without grouping."""
        found = [record for record in records if record.get("record") == "finding"]
        for record in found:
            for side in (record.get("location"), record.get("other_location")):
                if side and side.get("object"):
                    know_source(str(side["object"]))
        return tuple(self._finding(record) for record in found)

    def _finding(self, record: Mapping[str, Any]) -> Finding:
        memory = self._allocation(record.get("allocation"))
        called = self._call(record.get("stack"), record.get("call"))
        other = self._call(record.get("other_stack"), record.get("other_call"))
        if record.get("kind") == "leak" and memory is not None:
            called = memory.born
        place = self._location(record.get("location"))
        if other is None and memory is not None and record.get("kind") == "use-after-free":
            other = memory.freed
        streams = (record.get("stream"), record.get("other_stream"))
        draft = Finding(
            id="",
            kind=str(record.get("kind") or "unknown"),
            severity=_severity(record.get("severity")),
            kernel=str(record.get("kernel") or ""),
            arch=str(record.get("arch") or ""),
            build=str(record.get("build") or "plain"),
            message=self._message(record),
            count=int(record.get("count") or 1),
            location=place or called,
            other_location=self._location(record.get("other_location")) or other,
            address_space=record.get("address_space"),
            access=record.get("access"),
            bytes=record.get("bytes") or None,
            allocation=memory,
            called=called if place else None,
            streams=tuple(str(name) for name in streams if name),
            input=self.input,
            replay=self.replay,
        )
        return identified(draft)

    def _message(self, record: Mapping[str, Any]) -> str:
        """Return the message, with the caller's name for the memory that it is about."""
        text, memory = str(record.get("message") or ""), record.get("allocation") or {}
        name = self.names.get(int(memory.get("address") or 0))
        return text.replace(f" of {memory['name']} (", f" of {name} (") if name else text

    def _allocation(self, memory: Mapping[str, Any] | None) -> Allocation | None:
        """Return the memory, by the caller's name for it where there is one."""
        if not memory:
            return None
        address = int(memory.get("address") or 0)
        name = self.names.get(address) or str(memory.get("name") or "")
        return Allocation(
            name,
            address,
            size=int(memory.get("size") or 0),
            offset=int(memory.get("offset") or 0),
            kind=str(memory.get("kind") or ""),
            born=self._call(memory.get("born"), memory.get("born_call")),
            freed=self._call(memory.get("freed"), memory.get("freed_call")),
        )

    def _call(self, stack: Sequence[Mapping[str, Any]] | None, call: Any) -> Location | None:
        """Return where a user made a HIP call; None where nobody recorded it."""
        place = called_from(stack, str(call or ""), self.symboliser) if stack else None
        return None if place is None or is_harness_alone(place.frames) else place

    def _location(self, place: Mapping[str, Any] | None) -> Location | None:
        """Resolve one side; a side without an object still says which thread it was.

        A record of the harness itself names file and line; the device's name object and pc.
        """
        if not place:
            return None
        frames: tuple[Frame, ...] = ()
        if place.get("object"):
            frames = self.symboliser.frames(str(place["object"]), int(place.get("pc") or 0))
        shown = own_frame(frames)
        line = int(place.get("line") or 0)
        return Location(
            file=self.readable(str(place.get("file") or "") or shown.file or self.file),
            line=line or shown.line,
            marks=None if line else shown.marks,
            function=shown.function,
            block=tuple(place.get("block") or ()),
            thread=tuple(place.get("thread") or ()),
            wave=place.get("wave"),
            lane=place.get("lane"),
            frames=frames,
        )

    def readable(self, file: str) -> str:
        """Return where a file lies: beside the kernel's, for a header that came with it."""
        beside = Path(self.file).parent / file
        return str(beside) if not Path(file).exists() and beside.exists() else file


@functools.cache
def know_source(object_path: str) -> None:
    """Have the lines of a program read that lies nowhere: the device keeps it beside its object.

    Its first line is the program's name, as the line table has it. Of two programs of one name
    neither is read: nobody could tell which one a line is of.
    """
    try:
        text = Path(object_path).with_suffix(".source").read_text("utf-8", errors="replace")
    except (OSError, ValueError):
        return
    name, _, body = text.partition("\n")
    lines, known = body.splitlines(keepends=True), linecache.getlines(name)
    if Path(name).exists() or known == lines:
        return
    shown = [] if known or name in _UNTOLD else lines
    if not shown:
        _UNTOLD.add(name)
    linecache.cache[name] = (len(body), None, shown, name)


def called_from(stack: Iterable[Mapping[str, Any]], call: str, symboliser: Symboliser) -> Location:
    """Return the place of a HIP call from the ledger's stack."""
    frames = frames_of(stack, symboliser)
    shown = user_frame(frames, call)
    return Location(shown.file, shown.line, shown.function, frames=frames, call=call)


def own_frame(frames: Sequence[Frame]) -> Frame:
    """Return the innermost frame outside our headers and the C++ library: the user's line."""
    for frame in frames:
        if not any(mark in frame.file for mark in _OURS):
            return frame
    return frames[0] if frames else Frame("", "", 0)


def _severity(value: Any) -> Severity:
    """Return a severity; anything unknown counts as an error, never as less."""
    return value if value in SEVERITIES else "error"


def identified(draft: Finding) -> Finding:
    """Return *draft* with its id: the same for the same root cause, after unrelated edits too."""
    # Which side of a pair came first depends on the order in which the threads ran.
    sides = sorted([_anchor(draft.location), _anchor(draft.other_location)])
    name = draft.allocation.name if draft.allocation else ""
    # A name of the device's has a number that differs from run to run; a variable's is its own.
    parts = [draft.kind, draft.kernel, *sides, _NUMBER.sub("#", name) if " " in name else name]
    if draft.location is None or not draft.location.line:
        parts.append(_NUMBER.sub("#", draft.message))
    digest = hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
    return replace(draft, id=f"{draft.kind}-{digest[:10]}")


def _anchor(location: Location | None) -> str:
    """Return what names a side across edits elsewhere."""
    if location is None or not location.line:
        return ""
    # Calls through one wrapper differ in who called it.
    callers = "".join(f"<{frame.function}" for frame in location.frames) if location.call else ""
    return f"{anchor(location.file, location.line, location.marks)}{callers}"


def unlisted(records: Iterable[Mapping[str, Any]]) -> int:
    """Return how many root causes the device counted beside those that it told of."""
    return sum(int(r["count"]) for r in records if r.get("record") == "unlisted")


def grouped(findings: Iterable[Finding], *, cap: int = CAP, more: int = 0) -> Findings:
    """Merge findings of one root cause on one part, most severe first.

    more  root causes that are known to be there and are no findings

    Of several the canonical one is shown: the smallest block and thread, so that the order in
    which a device ran them does not show. A cause that two builds found counts as the build's
    that saw it most.
    """
    causes: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        causes.setdefault((finding.id, finding.arch), []).append(finding)
    merged = _without_shadows([_merged(group) for group in causes.values()])
    merged.sort(key=_order)
    return Findings(tuple(merged[:cap]), max(0, len(merged) - cap) + more)


_DISTANCE = {
    "race-wave": 0,
    "wave-size-dependence": 1,
    "race-shared": 2,
    "race-global": 2,
    "race-grid": 3,
}
"""How far apart the two threads of a race are: in a half of a wave, a wave, a block, the grid."""


def _without_shadows(findings: list[Finding]) -> list[Finding]:
    """Drop races where one at the same lines, as severe, between threads further apart says it."""
    furthest: dict[tuple[object, ...], int] = {}
    for one in findings:
        if one.kind in _DISTANCE:
            place = (*_pair(one), one.severity)
            furthest[place] = max(furthest.get(place, 0), _DISTANCE[one.kind])
    return [one for one in findings if one.kind not in _DISTANCE or not _shadowed(one, furthest)]


def _shadowed(finding: Finding, furthest: Mapping[tuple[object, ...], int]) -> bool:
    severe = SEVERITIES[SEVERITIES.index(finding.severity) :]
    others = (furthest.get((*_pair(finding), severity), 0) for severity in severe)
    return max(others) > _DISTANCE[finding.kind]


def _pair(finding: Finding) -> tuple[str, str, frozenset[tuple[str, int]]]:
    spots = (finding.location, finding.other_location)
    lines = frozenset((spot.file, spot.line) for spot in spots if spot)
    return finding.arch, finding.kernel, lines


def _merged(group: list[Finding]) -> Finding:
    shown = min(group, key=_who)
    counts: dict[str, int] = {}
    for finding in group:
        counts[finding.build] = counts.get(finding.build, 0) + finding.count
    worst = max(group, key=lambda finding: SEVERITIES.index(finding.severity))
    return replace(shown, count=max(counts.values()), severity=worst.severity)


def _who(finding: Finding) -> tuple[Any, ...]:
    spot = finding.location
    # The checked build knows more than the plain one.
    precise = finding.build != "checked"
    return (precise, spot.block, spot.thread) if spot else (precise, (), ())


def _order(finding: Finding) -> tuple[Any, ...]:
    spot = finding.location or Location("")
    rank = -SEVERITIES.index(finding.severity)
    return (rank, finding.kernel, spot.file, spot.line, finding.kind, finding.id, finding.arch)


def definition_line(source: Path, kernel: str) -> int:
    """Return the line on which a kernel's definition names it; 0 when it cannot be found."""
    pattern = re.compile(rf"\b{re.escape(kernel)}\s*\(")
    try:
        lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    for number, line in enumerate(lines, 1):
        above = " ".join(lines[max(0, number - 4) : number])
        if pattern.search(line) and "__global__" in above:
            return number
    return 0
