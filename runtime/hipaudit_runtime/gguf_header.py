"""What stands before the tensors of a GGUF file, read with a limit on everything that is counted.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
The package ``gguf`` names its types and sizes. Its own reader is not used: it believes every count
in the file, so a damaged one makes it run for ever or fill the memory.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import gguf
import numpy as np
import numpy.typing as npt

Value = bool | int | float | str | tuple[str, ...] | npt.NDArray[Any]
"""Of a key: an array of strings is a tuple, one of numbers a view of the file."""

MOST_TENSORS: Final = 1 << 17
MOST_KEYS: Final = 1 << 16
MOST_STRINGS: Final = 1 << 22
"""In all arrays of a file; a vocabulary of 256 Ki with its merges has a fifth of that."""
_LONGEST_NAME: Final = 65535
_LONGEST_STRING: Final = 1 << 24
_MOST_AXES: Final = 4
_KEY_BYTES: Final = 13
_TENSOR_BYTES: Final = 32
_VALUE = gguf.GGUFValueType
_NUMBERS: Final[Mapping[Any, str]] = {
    _VALUE.UINT8: "<u1", _VALUE.INT8: "<i1", _VALUE.UINT16: "<u2", _VALUE.INT16: "<i2",
    _VALUE.UINT32: "<u4", _VALUE.INT32: "<i4", _VALUE.UINT64: "<u8", _VALUE.INT64: "<i8",
    _VALUE.FLOAT32: "<f4", _VALUE.FLOAT64: "<f8", _VALUE.BOOL: "?",
}  # fmt: skip


class DamagedError(ValueError):
    """What a file holds where is not GGUF; the message has no file name."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where a tensor lies.

    shape     elements, slowest axis first
    start     bytes from the file's start; nbytes all inside the file
    """

    name: str
    kind: Any
    shape: tuple[int, ...]
    start: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """Keys and tensors of one file, in its order."""

    metadata: dict[str, Value]
    tensors: tuple[TensorEntry, ...]


def read_header(data: npt.NDArray[np.uint8]) -> Header:
    """Read the header of a whole file's bytes; DamagedError says what is wrong and where."""
    cursor = _Cursor(data)
    if bytes(cursor.take(4, "magic")) != b"GGUF":
        raise DamagedError("it does not begin with GGUF")
    version = cursor.integer("<I", "version")
    if version not in {2, 3}:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        order = ": it is big endian" if swapped in {2, 3} else ""
        raise DamagedError(f"its version is {version}, not 2 or 3{order}")
    tensors = cursor.count("tensors", MOST_TENSORS, _TENSOR_BYTES)
    keys = cursor.count("keys", MOST_KEYS, _KEY_BYTES)
    metadata: dict[str, Value] = {}
    for _ in range(keys):
        key = cursor.string("a key", _LONGEST_NAME)
        if key in metadata:
            raise DamagedError(f"the key {key!r} is there twice")
        metadata[key] = _value(cursor, key)
    entries = [_tensor(cursor) for _ in range(tensors)]
    return Header(metadata, _placed(entries, cursor, _alignment(metadata)))


def _value(cursor: _Cursor, key: str) -> Value:
    kind = cursor.kind(key)
    if kind == _VALUE.STRING:
        return cursor.string(key, _LONGEST_STRING)
    if kind == _VALUE.ARRAY:
        return _array(cursor, key)
    (number,) = cursor.numbers(_NUMBERS[kind], 1, key)
    return number.item()  # type: ignore[no-any-return]


def _array(cursor: _Cursor, key: str) -> Value:
    kind = cursor.kind(key)
    if kind == _VALUE.ARRAY:
        raise DamagedError(f"{key} is an array of arrays")
    if kind == _VALUE.STRING:
        cursor.strings += (count := cursor.count(f"strings in {key}", MOST_STRINGS, 8))
        if cursor.strings > MOST_STRINGS:
            raise DamagedError(f"its arrays have more than {MOST_STRINGS:,} strings together")
        return tuple(cursor.string(key, _LONGEST_STRING) for _ in range(count))
    form = _NUMBERS[kind]
    size = np.dtype(form).itemsize
    return cursor.numbers(form, cursor.count(f"elements in {key}", 1 << 62, size), key)


def _alignment(metadata: Mapping[str, Value]) -> int:
    value = metadata.get("general.alignment", gguf.GGUF_DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or value < 1 or value & (value - 1):
        raise DamagedError(f"general.alignment is {value!r}, not a power of two")
    return value


@dataclass(frozen=True, slots=True)
class _Unplaced:
    name: str
    kind: Any
    shape: tuple[int, ...]
    offset: int
    nbytes: int


def _tensor(cursor: _Cursor) -> _Unplaced:
    name = cursor.string("a tensor's name", _LONGEST_NAME)
    axes = cursor.integer("<I", f"axes of {name}")
    if not 1 <= axes <= _MOST_AXES:
        raise DamagedError(f"{name} has {axes} axes, not 1 to {_MOST_AXES}")
    shape = tuple(cursor.integer("<Q", f"shape of {name}") for _ in range(axes))[::-1]
    number = cursor.integer("<I", f"type of {name}")
    try:
        kind = gguf.GGMLQuantizationType(number)
    except ValueError:
        raise DamagedError(f"{name} has the unknown type {number}") from None
    offset = cursor.integer("<Q", f"offset of {name}")
    elements = math.prod(shape)  # of Python ints: nothing wraps round
    per_block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    if not elements or shape[-1] % per_block:
        raise DamagedError(f"{name} has the shape {shape}: rows of {per_block} k elements, k > 0")
    return _Unplaced(name, kind, shape, offset, elements // per_block * block_bytes)


def _placed(entries: list[_Unplaced], cursor: _Cursor, alignment: int) -> tuple[TensorEntry, ...]:
    """The tensors with their places, which are in the file, aligned and disjoint."""
    base = -(-cursor.at // alignment) * alignment
    placed = []
    names = set()
    for entry in entries:
        start = base + entry.offset
        if entry.name in names:
            raise DamagedError(f"the tensor {entry.name!r} is there twice")
        names.add(entry.name)
        if entry.offset % alignment:
            raise DamagedError(f"{entry.name} is at {entry.offset}, no multiple of {alignment}")
        if start + entry.nbytes > cursor.size:
            raise DamagedError(
                f"{entry.name} ends at byte {start + entry.nbytes}, the file at {cursor.size}"
            )
        placed.append(TensorEntry(entry.name, entry.kind, entry.shape, start, entry.nbytes))
    ordered = sorted(placed, key=lambda entry: entry.start)
    for one, other in pairwise(ordered):
        if one.start + one.nbytes > other.start:
            raise DamagedError(f"{one.name} and {other.name} overlap")
    return tuple(placed)


class _Cursor:
    """A place in the file; whatever is read lies in it."""

    __slots__ = ("_data", "at", "size", "strings")

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self._data = data
        self.at = 0
        self.size = int(data.size)
        self.strings = 0

    def take(self, count: int, what: str) -> npt.NDArray[np.uint8]:
        """The next bytes."""
        if count > self.size - self.at:
            raise DamagedError(
                f"{what} at byte {self.at} takes {count} bytes, {self.size - self.at} are left"
            )
        self.at += count
        return self._data[self.at - count : self.at]

    def integer(self, form: str, what: str) -> int:
        """The next integer, unsigned."""
        return int(struct.unpack(form, self.take(struct.calcsize(form), what).data)[0])

    def count(self, what: str, most: int, each: int) -> int:
        """The next count, of things that take *each* bytes or more."""
        number = self.integer("<Q", f"the number of {what}")
        if number > most or number * each > self.size - self.at:
            raise DamagedError(f"it says it has {number:,} {what}")
        return number

    def kind(self, key: str) -> Any:
        """The next type of a value."""
        number = self.integer("<I", f"the type of {key}")
        try:
            return _VALUE(number)
        except ValueError:
            raise DamagedError(f"{key} has the unknown type {number}") from None

    def string(self, what: str, longest: int) -> str:
        """The next string."""
        length = self.integer("<Q", f"the length of {what}")
        if length > longest:
            raise DamagedError(f"{what} has {length:,} bytes, more than {longest:,}")
        try:
            return bytes(self.take(length, what)).decode()
        except UnicodeDecodeError as error:
            raise DamagedError(f"{what} is not UTF-8: {error}") from None

    def numbers(self, form: str, count: int, what: str) -> npt.NDArray[Any]:
        """The next numbers, a view of the file."""
        raw = self.take(count * np.dtype(form).itemsize, what)
        if form == "?" and (raw > 1).any():
            raise DamagedError(f"{what} is neither true nor false")
        return raw.view(form)
