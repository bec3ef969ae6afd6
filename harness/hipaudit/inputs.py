"""Hypothesis strategies for whole tensors.

A tensor is drawn from one source of entropy: a shape, the name of a family of values, and a
seed. That is fast (an element is not a draw of its own), it shrinks to the smallest shape and
the plainest family that still fail, and it prints as one line. The families are those that
break kernels: offsets that cancel, ties, masked rows, subnormals, planted NaNs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
from hypothesis import note
from hypothesis.strategies import SearchStrategy

from hipaudit import families
from hipaudit.drawing import Fresh, Source, composite, one_of
from hipaudit.errors import UsageError
from hipaudit.families import Family, Limits

__all__ = [
    "Drawn",
    "anything",
    "bfloat16",
    "byte_blocks",
    "composite",
    "extremes",
    "factors",
    "finite_logits",
    "float16",
    "float32",
    "float64",
    "integers",
    "lengths",
    "logits",
    "matrices",
    "tensor",
    "tensors",
    "vectors",
    "well_scaled",
]

Array: TypeAlias = npt.NDArray[Any]
Dimension: TypeAlias = int | SearchStrategy[int]

float16: np.dtype[Any] = np.dtype(np.float16)
float32: np.dtype[Any] = np.dtype(np.float32)
float64: np.dtype[Any] = np.dtype(np.float64)
bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)

_SEEDS = 0, 2**32 - 1
_PLAINNESS = 0, 31
_FAR = 0, 1 << 22
_PRIMES = (2, 3, 5, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093)


def lengths(low: int, high: int, *, wave: int = 64) -> SearchStrategy[int]:
    """Return a strategy for an extent in [low, high] that favours the edges of a kernel.

    The edges: 0, 1, a wave of *wave* threads or its half, one less and one more, powers of two
    and their neighbours, primes. Shrinks towards *low*.
    """
    if low > high:
        raise UsageError(f"lengths({low}, {high}): the range is empty")
    powers = {2**k + d for k in range(high.bit_length() + 1) for d in (-1, 0, 1)}
    waves = {w + d for w in (wave // 2, wave, 2 * wave) for d in (-1, 0, 1)}
    edges = {low, high, 0, 1, *powers, *waves, *_PRIMES}
    inside = sorted(edge for edge in edges if low <= edge <= high)

    # The smaller of an edge and any number: so that what fails shrinks to the very extent at which
    # it begins to, edge or not. Half of the edges are *high*, which leaves the number as it is. One
    # number in nine lies behind *high* and leaves the edge: else *high* itself would hardly come.
    behind = high + (high - low) // 8

    def draw(source: Source) -> int:
        edge: int = source.one_of(inside + [high] * len(inside))
        return min(edge, source.integer(low, behind))

    return Fresh(f"lengths({low}, {high})", draw)


def well_scaled() -> SearchStrategy[Family]:
    """Return the families of finite values of moderate size."""
    return one_of("well_scaled()", families.WELL_SCALED)


def logits() -> SearchStrategy[Family]:
    """Return the families a softmax meets: offsets, masks, ties, rows that cannot be summed."""
    return one_of("logits()", (*families.WELL_SCALED, *families.LOGITS, *families.PLANTED))


def finite_logits() -> SearchStrategy[Family]:
    """Return the families of logits() without NaN, +inf and wholly masked rows."""
    return one_of("finite_logits()", (*families.WELL_SCALED, *families.LOGITS))


def anything() -> SearchStrategy[Family]:
    """Return every family: the extremes of the format and planted NaNs included."""
    return one_of("anything()", (*families.WELL_SCALED, *families.EXTREMES, *families.PLANTED))


def extremes() -> SearchStrategy[Family]:
    """Return finite families with the extremes of the format among them.

    What they tell apart: sqrt(p) sqrt(q) from sqrt(p q), whose product overflows or vanishes where
    the result does not.
    """
    return one_of("extremes()", (*families.WELL_SCALED, *families.EXTREMES))


@dataclass(frozen=True, slots=True)
class Drawn:
    """How a tensor was made; its repr is what a failing test prints."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    family: Family
    seed: int
    kept: tuple[int, int] | None = None
    rounded: bool = False

    def __repr__(self) -> str:
        """Return code that makes the same tensor."""
        plain = "" if self.kept is None else f", kept={self.kept}"
        plain += ", rounded=True" if self.rounded else ""
        what = f"{self.dtype.name}, {self.shape}, {self.family.name!r}"
        return f"tensor({what}, seed={self.seed}{plain})"

    def values(self) -> Array:
        """Return the tensor: row-major, in the dtype asked for."""
        generator = np.random.default_rng(self.seed)
        limits = Limits.of(self.dtype)
        # A family fills rows: of a single number, the one row that holds it.
        wide = self.family.fill(generator, self.shape or (1,), limits).reshape(self.shape)
        if self.rounded:
            np.rint(wide, out=wide)
        if self.kept is not None:
            first, last = self.kept
            wide.reshape(-1)[:first] = 0
            wide.reshape(-1)[last + 1 :] = 0
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return np.asarray(wide.astype(self.dtype, copy=False), order="C")


def tensor(
    dtype: npt.DTypeLike,
    shape: tuple[int, ...],
    family: str,
    *,
    seed: int = 0,
    kept: tuple[int, int] | None = None,
    rounded: bool = False,
) -> Array:
    """Return the tensor that a failing test printed.

    kept     the first and the last element, counted row by row, that are not made 0
    rounded  to integers

    Raises UsageError when no family has that name.
    """
    for known in families.ALL:
        if known.name == family:
            return Drawn(np.dtype(dtype), shape, known, seed, kept, rounded).values()
    names = ", ".join(known.name for known in families.ALL)
    raise UsageError(f"no family of values is called {family!r}; there are {names}")


def tensors(
    dtype: npt.DTypeLike,
    shape: Sequence[Dimension],
    elements: SearchStrategy[Family] | None = None,
) -> SearchStrategy[Array]:
    """Return a strategy for row-major arrays whose extents are integers or strategies for them.

    Raises UsageError for a dtype that is no float: see `integers`.
    """
    made = np.dtype(dtype)
    _require_float(made)
    filled = well_scaled() if elements is None else elements

    def draw(source: Source) -> Array:
        extents = _extents(source, shape)
        drawn = Drawn(made, extents, source.value(filled), source.integer(*_SEEDS))
        last, before = source.evenly(*_FAR), source.evenly(*_FAR)
        drawn = _plainer(drawn, last, before, source.evenly(*_PLAINNESS))
        note(repr(drawn))
        return drawn.values()

    return Fresh(f"tensors({made.name}, {tuple(shape)})", draw)


def _require_float(dtype: np.dtype[Any]) -> None:
    """Raise UsageError for a dtype that no family of values fills."""
    if dtype.kind in "biu":
        raise UsageError(f"{dtype.name} is no float: draw it by integers({dtype.name!r}, ...)")
    refused = UsageError(f"{dtype} is no float dtype of numpy or ml_dtypes")
    if dtype.kind == "c":
        raise refused
    try:
        Limits.of(dtype)
    except ValueError:
        raise refused from None


def _extents(source: Source, shape: Sequence[Dimension]) -> tuple[int, ...]:
    """Draw those extents of a shape that are strategies."""
    return tuple(part if isinstance(part, int) else source.value(part) for part in shape)


def _plainer(drawn: Drawn, last: int, before: int, plainness: int) -> Drawn:
    """Keep a part of a tensor (see `_kept`), and make one in 32 of them one of integers."""
    return replace(drawn, kept=_kept(math.prod(drawn.shape), last, before), rounded=plainness == 0)


def _kept(size: int, last: int, before: int) -> tuple[int, int] | None:
    """Keep the elements up to *last*, and of those the last one and *before* more; None: all.

    Drawn evenly from a range that is far larger than most tensors, the two leave nearly every
    tensor as it is; but what fails shrinks by them to its first bad element alone.
    """
    last = min(last, size - 1)
    first = last - min(before, last)
    return None if last - first == size - 1 else (first, last)


_INTEGER_KINDS = ("one value", "any", "ends", "ascending")


def integers(
    dtype: npt.DTypeLike,
    shape: Sequence[Dimension],
    low: int | None = None,
    high: int | None = None,
) -> SearchStrategy[Array]:
    """Return a strategy for row-major arrays of integers: codes, indices, tokens, labels.

    Values lie in [low, high], by default all that the dtype holds: any of them, those at the ends,
    one for all, or ascending ones. Shrinks to small shapes, and there to its one bad element.

    Raises UsageError for a dtype that is no integer, and for a range that it does not hold.
    """
    made = np.dtype(dtype)
    if made.kind not in "iu":
        raise UsageError(f"integers() of {made.name}: that is no integer dtype")
    limits = np.iinfo(made)
    least = int(limits.min) if low is None else low
    most = int(limits.max) if high is None else high
    if not limits.min <= least <= most <= limits.max:
        raise UsageError(f"integers({made.name}): [{least}, {most}] is empty or does not fit")

    def draw(source: Source) -> Array:
        extents = _extents(source, shape)
        kind, seed = source.one_of(_INTEGER_KINDS), source.integer(*_SEEDS)
        kept = _kept(math.prod(extents), source.evenly(*_FAR), source.evenly(*_FAR))
        note(f"integers({made.name}, {extents}, {least}, {most}): {kind}, seed={seed}, kept={kept}")
        values = _fill_integers(np.random.default_rng(seed), kind, extents, (least, most), made)
        if kept is not None:
            flat, plain = values.reshape(-1), max(least, min(0, most))
            flat[: kept[0]] = plain
            flat[kept[1] + 1 :] = plain
        return values

    return Fresh(f"integers({made.name}, {tuple(shape)}, {least}, {most})", draw)


def _fill_integers(
    generator: np.random.Generator,
    kind: str,
    shape: tuple[int, ...],
    ends: tuple[int, int],
    dtype: np.dtype[Any],
) -> Array:
    """Return integers of one kind in [low, high]."""
    low, high = ends
    if kind == "ascending":
        steps = np.arange(math.prod(shape), dtype=np.uint64) % np.uint64(min(high - low, 2038) + 1)
        return np.asarray((steps.astype(dtype) + dtype.type(low)).reshape(shape))
    if kind == "ends":
        near = {low, low + 1, -1, 0, 1, high - 1, high}
        few = [value for value in sorted(near) if low <= value <= high]
        return np.asarray(np.array(few, dtype)[generator.integers(0, len(few), shape)])
    extent = () if kind == "one value" else shape
    drawn = generator.integers(low, high, extent, dtype=dtype, endpoint=True)
    return np.array(np.broadcast_to(drawn, shape), dtype)


def matrices(
    dtype: npt.DTypeLike,
    *,
    rows: Dimension | None = None,
    columns: Dimension | None = None,
    elements: SearchStrategy[Family] | None = None,
) -> SearchStrategy[Array]:
    """Return a strategy for matrices, rows x columns, row-major; by default up to 64 x 4096."""
    extents = (
        lengths(1, 64) if rows is None else rows,
        lengths(1, 4096) if columns is None else columns,
    )
    return tensors(dtype, extents, elements)


def vectors(
    dtype: npt.DTypeLike,
    length: Dimension | None = None,
    elements: SearchStrategy[Family] | None = None,
) -> SearchStrategy[Array]:
    """Return a strategy for vectors; by default of up to 4096 elements."""
    return tensors(dtype, (lengths(1, 4096) if length is None else length,), elements)


def factors(
    dtype: npt.DTypeLike,
    *,
    m: Dimension,
    n: Dimension,
    k: Dimension,
    elements: SearchStrategy[Family] | None = None,
) -> SearchStrategy[dict[str, Array]]:
    """Return a strategy for a product's factors: a of m x k and b of k x n, both row-major."""

    def draw(source: Source) -> dict[str, Array]:
        rows, columns, inner = _extents(source, (m, n, k))
        return {
            "a": source.value(tensors(dtype, (rows, inner), elements)),
            "b": source.value(tensors(dtype, (inner, columns), elements)),
        }

    return Fresh("factors", draw)


_SPECIAL_HALVES = np.array(
    # +-0, the smallest and largest subnormal, the smallest normal, 1, the largest finite, +-Inf,
    # a quiet and a signalling NaN, a negative NaN with a payload.
    [0, 0x8000, 1, 0x8001, 0x3FF, 0x400, 0x3C00, 0x7BFF, 0x7C00, 0xFC00, 0x7E00, 0x7C01, 0xFEAD],
    dtype="<u2",
)

_BLOCK_KINDS = ("random", "special scales", "plain scales", "zeros", "ones")


def byte_blocks(
    block_bytes: int,
    *,
    blocks: Dimension,
    scales: Sequence[int] = (0,),
) -> SearchStrategy[npt.NDArray[np.uint8]]:
    """Return a strategy for quantised blocks as bytes, blocks x block_bytes, such as ggml's.

    *scales* are the byte offsets of the block's fp16 fields: beside random bytes there are
    blocks whose scales are infinite, NaN, subnormal, zero, or of ordinary size.
    """

    def draw(source: Source) -> npt.NDArray[np.uint8]:
        (count,) = _extents(source, (blocks,))
        kind = source.one_of(_BLOCK_KINDS[::-1])
        seed = source.integer(*_SEEDS)
        note(f"byte_blocks({block_bytes}, blocks={count}): {kind}, seed={seed}")
        return _fill_blocks(np.random.default_rng(seed), kind, (count, block_bytes), scales)

    return Fresh(f"byte_blocks({block_bytes})", draw)


def _fill_blocks(
    generator: np.random.Generator, kind: str, shape: tuple[int, int], scales: Sequence[int]
) -> npt.NDArray[np.uint8]:
    """Return blocks of one kind; the scale fields are little-endian fp16."""
    constant = {"zeros": 0, "ones": 0xFF}.get(kind)
    if constant is not None:
        return np.full(shape, constant, dtype=np.uint8)
    filled = generator.integers(0, 256, size=shape, dtype=np.uint8)
    for offset in scales if kind != "random" else ():
        halves = _scales(generator, kind, shape[0])
        filled[:, offset : offset + 2] = halves.view(np.uint8).reshape(shape[0], 2)
    return filled


def _scales(generator: np.random.Generator, kind: str, count: int) -> npt.NDArray[np.uint16]:
    """Return fp16 bit patterns for one scale field of every block."""
    if kind == "special scales":
        return generator.choice(_SPECIAL_HALVES, size=count)
    return generator.normal(scale=0.05, size=count).astype("<f2").view("<u2")
