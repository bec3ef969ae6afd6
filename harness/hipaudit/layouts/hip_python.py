"""hip-python's own structures, observed: which bytes each of its properties sets or reads.

hip-python was compiled against AMD's headers, so what is seen here is AMD's layout, and a check
of our headers as much as of the binding. Nothing calls HIP.
"""

from __future__ import annotations

import ctypes
import enum
from typing import Any

from hipaudit import hipcalls
from hipaudit.layouts.structure import Field, Structure

_ROOM = 4096
_BASE = 127
"""Bytes below it are ASCII and no zero, so that texts show them all."""


def structures(names: set[str]) -> tuple[Structure, ...]:
    """Return the observed layouts of hip-python's classes called *names*."""
    module = hipcalls.hip()
    found = {name: getattr(module, name, None) for name in sorted(names)}
    return tuple(_observed(name, cls) for name, cls in found.items() if isinstance(cls, type))


def _observed(name: str, cls: Any) -> Structure:
    """Return the layout that a class's properties show on a buffer of ours."""
    fields = []
    for member in cls.PROPERTIES():
        field = _field(cls, member)
        if field is not None:
            fields.append(field)
    return Structure(name, int(cls().c_sizeof()), tuple(fields))


def _field(cls: Any, name: str) -> Field | None:
    """Return where a property lies; None where it neither can be set nor shows its place."""
    room = ctypes.create_string_buffer(b"\xff" * _ROOM, _ROOM)
    view = cls.fromObj(ctypes.addressof(room))
    try:
        value = getattr(view, name)
    except ValueError:  # 0xff.. is no member of its enumeration
        value = None
    if hasattr(value, "c_sizeof") and not isinstance(value, enum.Enum):
        offset = int(value) - ctypes.addressof(room)
        if 0 <= offset < _ROOM:  # else it is a pointer's target
            return Field(name, offset, int(value.c_sizeof()))
    return _set(view, room, name) or _read(cls, name)


def _set(view: Any, room: Any, name: str) -> Field | None:
    """Set a property to zeros in a buffer of ones; the bytes that change are its own."""
    for zero in _zeros():
        try:
            setattr(view, name, zero)
        except (TypeError, ValueError, AttributeError):
            continue
        changed = [at for at, byte in enumerate(room.raw) if byte != 0xFF]
        if changed:
            return Field(name, changed[0], changed[-1] + 1 - changed[0])
    return None


def _zeros() -> list[Any]:
    """Return what may stand for zero: a number, a null pointer, an enumeration's member."""
    module = hipcalls.hip()
    kinds = [k for k in vars(module).values() if isinstance(k, type) and issubclass(k, enum.Enum)]
    members = [min(kind, key=lambda m: abs(int(m.value))) for kind in kinds if len(kind)]
    return [0, None, *members]


def _read(cls: Any, name: str) -> Field | None:
    """Read an array from two buffers that tell each byte's place."""
    parts = []
    remainders, quotients = bytearray(), bytearray()
    for at in range(_ROOM):
        quotient, remainder = divmod(at, _BASE)
        quotients.append(quotient + 1)
        remainders.append(remainder + 1)
    for told in (remainders, quotients):
        room = ctypes.create_string_buffer(bytes(told), _ROOM)
        value = getattr(cls.fromObj(ctypes.addressof(room)), name)
        parts.append(_bytes(value))
    low, high = parts
    if not low or len(low) != len(high):
        return None
    offset = (high[0] - 1) * _BASE + low[0] - 1
    # A text ends at the first zero, and there is none: its length says nothing.
    size = None if isinstance(value, bytes | str) else len(low)
    return Field(name, offset, size)


def _bytes(value: Any) -> bytes:
    """Return the memory of an array as it was read."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1", errors="replace")
    if isinstance(value, list | tuple) and all(isinstance(item, int) for item in value):
        top = max((abs(item) for item in value), default=0)
        width = 1 if top < 1 << 8 else 4 if top < 1 << 32 else 8
        return b"".join((item % (1 << 8 * width)).to_bytes(width, "little") for item in value)
    return b""
