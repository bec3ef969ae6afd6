"""What lives on the device now, and what changed between two points of a program.

before = live.snapshot()
serve_one_request()
print(live.diff(before, live.snapshot()).text())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipaudit.device import bind, bound
from hipaudit.errors import DeviceError
from hipaudit.finding import Location, called_from
from hipaudit.ledger import Ledger
from hipaudit.stacks import without_runners
from hipaudit.symbolise import Symboliser
from hipaudit.text import inert, size

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Live:
    """Memory or a resource that was made and not given back.

    serial    the number of its making: greater is later
    kind      device, host, async, stream, ...
    size      in bytes; 0 for a resource
    born      where it was made
    expected  why it is no leak; None when nobody said so
    """

    serial: int
    name: str
    kind: str
    address: int
    size: int
    born: Location
    expected: str | None = None

    def text(self) -> str:
        """Return one line: what it is and where it comes from."""
        held = f" of {size(self.size)}" if self.size else ""
        where = f"{self.born.file}:{self.born.line}" if self.born.line else "an unknown place"
        return inert(f"{self.name}{held}, {self.born.call or 'made'} at {where}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point in a program: what had been made so far, and what of it lived."""

    serial: int
    live: tuple[Live, ...]

    @property
    def bytes(self) -> int:
        """Live bytes."""
        return sum(one.size for one in self.live)


@dataclass(frozen=True, slots=True)
class Diff:
    """What is there after and not before, and the other way round."""

    made: tuple[Live, ...]
    gone: tuple[Live, ...]

    @property
    def bytes(self) -> int:
        """By how much live memory has grown; negative when it shrank."""
        return sum(one.size for one in self.made) - sum(one.size for one in self.gone)

    def text(self) -> str:
        """Return lines for people."""
        grown = f"{'+' if self.bytes >= 0 else '-'}{size(abs(self.bytes))}"
        lines = [f"{grown}: {len(self.made)} made, {len(self.gone)} given back"]
        lines += [f"  + {one.text()}" for one in self.made]
        lines += [f"  - {one.text()}" for one in self.gone]
        return "\n".join(lines)


def process_ledger() -> Ledger:
    """Return the ledger of this process, which binds it to a device where it is not yet.

    Raises DeviceError when the device has none.
    """
    ledger = (bound() or bind()).ledger
    if ledger is None:
        raise DeviceError("this process has no ledger: it was bound to a device without one")
    return ledger


def snapshot() -> Snapshot:
    """Return what lives now."""
    ledger = process_ledger()
    serial = ledger.snapshot()
    return Snapshot(serial, lives(ledger.live(0, serial)))


def diff(before: Snapshot, after: Snapshot) -> Diff:
    """Return what was made and what was given back between two snapshots."""
    there, now = {one.serial for one in before.live}, {one.serial for one in after.live}
    return Diff(
        tuple(one for one in after.live if one.serial not in there),
        tuple(one for one in before.live if one.serial not in now),
    )


def lives(items: Iterable[Mapping[str, Any]]) -> tuple[Live, ...]:
    """Return the ledger's entries with their stacks resolved."""
    symboliser = Symboliser()
    return tuple(
        Live(
            serial=int(item["serial"]),
            name=str(item["name"]),
            kind=str(item["kind"]),
            address=int(item["address"]),
            size=int(item["size"]),
            born=called_from(item.get("born") or (), str(item.get("call") or ""), symboliser),
            expected=item.get("expected"),
        )
        for item in items
    )


def listing(left: Sequence[Live]) -> str:
    """Return what was left behind, with the stack of each, the first few of many."""
    lines = []
    for one in left[:_MOST_NAMED]:
        lines += [one.text(), *stack_lines(one.born)]
    if len(left) > _MOST_NAMED:
        lines.append(f"and {len(left) - _MOST_NAMED} more")
    return "\n".join(lines)


def stack_lines(place: Location) -> list[str]:
    """Return a place's source line and the calls that led there, innermost first."""
    text = place.text()
    lines = [f"    > {inert(text)}"] if text else []
    return lines + [
        inert(f"      {frame.function or '?'} at {frame.file}:{frame.line}")
        for frame in without_runners(place.frames)
    ]
