"""Kernel arguments as a user types them: ``f32[16384]=uniform(-1,1)``, ``i32=16384``.

A buffer is ``TYPE[COUNT][=INIT]``, a scalar ``TYPE=VALUE``. INIT is zeros, ones, iota,
uniform(a,b), normal, random bits, uninit or @file.npy; without one a buffer stays as hipMalloc
gives it. ``null`` is a null pointer, ``hex=0a0b`` the bytes of a structure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

from hipaudit.errors import UsageError

Array: TypeAlias = npt.NDArray[Any]

TYPES: dict[str, np.dtype[Any]] = {
    "i8": np.dtype(np.int8),
    "u8": np.dtype(np.uint8),
    "i16": np.dtype(np.int16),
    "u16": np.dtype(np.uint16),
    "i32": np.dtype(np.int32),
    "u32": np.dtype(np.uint32),
    "i64": np.dtype(np.int64),
    "u64": np.dtype(np.uint64),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
}
INITS = "zeros, ones, iota, uniform(a,b), normal, random bits, uninit, @file.npy"

_SPEC = re.compile(r"^(?P<type>[a-z]+[0-9]*)\s*(?:\[(?P<count>[^\]]*)\])?\s*(?:=(?P<rest>.*))?$")
_UNIFORM = re.compile(r"^uniform\s*\(\s*([^,()]+)\s*,\s*([^,()]+)\s*\)$")
_MOST_BYTES = 1 << 36


@dataclass(frozen=True, slots=True)
class Argument:
    """One kernel argument.

    text   as typed; type: the name of an element type, ``ptr`` for null, ``hex`` for bytes
    count  elements of a buffer; None for a scalar
    init   how a buffer is filled; value: a scalar's value as bytes, as the kernel gets it
    """

    text: str
    type: str
    count: int | None = None
    init: str = "uninit"
    value: bytes = b""

    @property
    def is_buffer(self) -> bool:
        """Whether the kernel gets an address of device memory."""
        return self.count is not None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of an element."""
        return TYPES[self.type]


def parse(text: str) -> Argument:
    """Return the argument that *text* describes.

    Raises UsageError with one sentence that says what is wrong with it.
    """
    stripped = text.strip()
    if stripped == "null":
        return Argument(text, "ptr", value=bytes(8))
    match = _SPEC.match(stripped)
    if match is None:
        raise _wrong(text, "it is neither TYPE[COUNT][=INIT] nor TYPE=VALUE")
    kind, count, rest = match["type"], match["count"], match["rest"]
    if kind == "hex" and count is None:
        return Argument(text, "hex", value=_bytes(text, rest or ""))
    if kind not in TYPES:
        raise _wrong(text, f"there is no type {kind}; types are {' '.join(TYPES)}")
    if count is not None:
        return _buffer(text, kind, count.strip(), rest)
    if rest is None:
        raise _wrong(text, f"a scalar needs a value, a buffer a count: {kind}=1 or {kind}[1024]")
    if rest.strip().startswith("@"):
        return _buffer(text, kind, "", rest)
    return Argument(text, kind, value=_scalar(text, kind, rest.strip()))


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(f"--arg {text!r}: {why}")


def _bytes(text: str, rest: str) -> bytes:
    try:
        value = bytes.fromhex(rest)
    except ValueError:
        value = b""
    if not value:
        raise _wrong(text, "hex takes the bytes of a structure, such as hex=00ff")
    return value


def _buffer(text: str, kind: str, count: str, rest: str | None) -> Argument:
    """Return a buffer; the count may be a product, and a file's may be left out."""
    init = " ".join((rest if rest is not None else "uninit").split())
    elements = _count(text, count) if count else None
    if init.startswith("@"):
        found = _load(text, init[1:], TYPES[kind]).size
        if elements is not None and elements != found:
            raise _wrong(text, f"{init[1:]} has {found} elements, not {elements}")
        elements = found
    elif not (init in _FILLS or _UNIFORM.match(init)):
        raise _wrong(text, f"there is no INIT {init!r}; it is one of {INITS}")
    elif elements is None:
        raise _wrong(text, "the count is missing: only @file.npy knows its own")
    bounds = _UNIFORM.match(init)
    if bounds:
        _uniform_bounds(text, bounds)
    if elements * TYPES[kind].itemsize > _MOST_BYTES:
        raise _wrong(text, f"a buffer of {elements:,} elements is larger than 64 GiB")
    return Argument(text, kind, elements, init)


def _count(text: str, count: str) -> int:
    try:
        factors = [int(part.strip().replace("_", ""), 0) for part in count.split("*")]
    except ValueError:
        factors = [-1]
    if min(factors) < 0:
        raise _wrong(text, f"the count {count!r} is not a number of elements")
    return math.prod(factors)


def _uniform_bounds(text: str, match: re.Match[str]) -> tuple[float, float]:
    try:
        low, high = float(match[1]), float(match[2])
    except ValueError:
        raise _wrong(text, "uniform takes two numbers, such as uniform(-1,1)") from None
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise _wrong(text, "uniform takes two finite numbers, the smaller one first")
    return low, high


def _scalar(text: str, kind: str, value: str) -> bytes:
    """Return a scalar's bytes, little-endian."""
    dtype = TYPES[kind]
    if dtype.kind in "iu":
        try:
            number = int(value.replace("_", ""), 0)
        except ValueError:
            raise _wrong(text, f"{value!r} is not a whole number") from None
        limits = np.iinfo(dtype)
        if not int(limits.min) <= number <= int(limits.max):
            raise _wrong(text, f"{value} does not fit {kind}: {limits.min} to {limits.max}")
        return number.to_bytes(dtype.itemsize, "little", signed=dtype.kind == "i")
    try:
        real = float.fromhex(value) if "0x" in value.lower() else float(value)
    except ValueError:
        raise _wrong(text, f"{value!r} is not a number") from None
    with np.errstate(over="ignore"):
        return bytes(np.array(real).astype(dtype).tobytes())


def _load(text: str, name: str, dtype: np.dtype[Any]) -> Array:
    """Return a file's elements, flat, in the argument's type."""
    path = Path(name)
    if not path.is_file():
        raise _wrong(text, f"there is no file {name}")
    try:
        data = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise _wrong(text, f"{name} is not a .npy file: {error}") from None
    if not isinstance(data, np.ndarray):
        raise _wrong(text, f"{name} holds several arrays; a .npy file holds one")
    if data.dtype.kind == "V" and data.dtype.itemsize == dtype.itemsize:
        data = data.view(dtype)  # numpy stores bfloat16 as raw bytes
    if data.dtype != dtype:
        raise _wrong(text, f"{name} holds {data.dtype}, not {dtype}: convert it, so that it shows")
    return np.ascontiguousarray(data).reshape(-1)


def _iota(count: int, dtype: np.dtype[Any], _: np.random.Generator) -> Array:
    return np.arange(count).astype(dtype)


def _normal(count: int, dtype: np.dtype[Any], generator: np.random.Generator) -> Array:
    scale = 1.0 if dtype.kind not in "iu" else 10.0
    return (generator.standard_normal(count, dtype=np.float32) * scale).astype(dtype)


def _random_bits(count: int, dtype: np.dtype[Any], generator: np.random.Generator) -> Array:
    return np.frombuffer(generator.bytes(count * dtype.itemsize), dtype=dtype).copy()


_FILLS: dict[str, Callable[[int, np.dtype[Any], np.random.Generator], Array | None]] = {
    "zeros": lambda count, dtype, _: np.zeros(count, dtype),
    "ones": lambda count, dtype, _: np.ones(count, dtype),
    "iota": _iota,
    "normal": _normal,
    "random bits": _random_bits,
    "uninit": lambda *_: None,
}


def contents(argument: Argument, seed: int, index: int) -> Array | None:
    """Return what a buffer holds before the launch; None when it stays uninitialised.

    Each argument has its own stream of random numbers, so adding one changes no other.
    """
    if argument.count is None:
        raise UsageError(f"--arg {argument.text!r} is not a buffer")
    generator = np.random.default_rng([seed, index])
    if argument.init.startswith("@"):
        return _load(argument.text, argument.init[1:], argument.dtype)
    match = _UNIFORM.match(argument.init)
    if match is None:
        return _FILLS[argument.init](argument.count, argument.dtype, generator)
    low, high = _uniform_bounds(argument.text, match)
    with np.errstate(over="ignore", invalid="ignore"):
        return generator.uniform(low, high, argument.count).astype(argument.dtype)
