"""Comparing outputs with the reference, in the order in which an output can be wrong.

First what was never written (it still holds the poison), then what is not finite, then every
finite element against its own bound; never one norm for a whole tensor. An exact spec compares
bit patterns, NaNs by class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

from hipaudit.errors import UsageError, hidden
from hipaudit.spec import Array

__tracebackhide__ = hidden

Mask: TypeAlias = npt.NDArray[np.bool_]
Wide: TypeAlias = npt.NDArray[np.float64]

POISON_BYTE = 0xFF
"""What a device fills fresh memory with for a run: a NaN in every float format, with a payload
that no arithmetic gives."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Elements of one output that are wrong in one way, shown by the worst of them.

    kind      unwritten-output, nonfinite-mismatch, overflow, bound-exceeded, conversion-inexact,
              nondeterminism
    output    which output, from 0
    index     the worst element's index
    expected  and actual: its values; error: their distance; bound: what was allowed
    count     how many elements of this output are wrong in this way
    """

    kind: str
    output: int
    index: tuple[int, ...]
    expected: float
    actual: float
    error: float
    bound: float
    count: int

    def sentence(self) -> str:
        """Say what is wrong, in one line."""
        where = f"output {self.output}" if self.output else "output"
        where += f"[{', '.join(map(str, self.index))}]"
        more = f" (and {self.count - 1:,} more)" if self.count > 1 else ""
        if self.kind == "unwritten-output":
            return f"{where} was never written{more}"
        seen = f"{where} is {self.actual!r}, expected {self.expected!r}"
        if self.kind == "bound-exceeded":
            ratio = self.error / self.bound if self.bound else np.inf
            seen += f": error {self.error:.3g} is {ratio:.3g} times the bound {self.bound:.3g}"
        if self.kind == "nondeterminism":
            seen = (
                f"{where} is {self.actual!r} in another order of blocks, {self.expected!r} before"
            )
        return seen + more


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing one run's outputs.

    elements     how many were compared
    worst_ratio  the largest error/bound over finite elements; 0 for an exact match
    worst_ulp    the largest error in units in the last place of the output format
    worst_index  where worst_ratio is, in the first output; None when nothing there is finite
    """

    elements: int
    worst_ratio: float
    worst_ulp: float
    worst_index: tuple[int, ...] | None
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    """One output: what came, what was expected, what was allowed; all float64, one shape."""

    number: int
    actual: Array
    got: Wide
    want: Wide
    bound: Wide

    def mismatch(self, kind: str, wrong: Mask, error: Wide) -> Mismatch:
        """Describe the worst of the wrong elements: the one with the largest error/bound."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(wrong, np.nan_to_num(error / self.bound, nan=0, posinf=np.inf), -1)
        index = np.unravel_index(int(np.argmax(ratio)), wrong.shape)
        return Mismatch(
            kind,
            self.number,
            tuple(int(i) for i in index),
            float(self.want[index]),
            float(self.got[index]),
            float(error[index]),
            float(self.bound[index]),
            int(np.count_nonzero(wrong)),
        )


def compare(
    actual: tuple[Array, ...],
    expected: tuple[Array, ...],
    bounds: tuple[Array, ...] | None,
    *,
    poisoned: bool = False,
) -> Comparison:
    """Judge every element of every output; *bounds* None compares bit patterns.

    Raises UsageError when the numbers or shapes of outputs, expectations and bounds differ, when
    one holds no real numbers, or when a bound is negative, infinite or NaN at a finite element.
    """
    _require_comparable(actual, expected, bounds)
    parts: list[Comparison] = []
    for number, (got, want) in enumerate(zip(actual, expected, strict=True)):
        if bounds is None:
            parts.append(_compare_bits(number, got, want, poisoned))
        else:
            limit = np.broadcast_to(np.nan_to_num(_wide(bounds[number])), got.shape)
            parts.append(_compare_values(number, got, want, limit, poisoned))
    return Comparison(
        elements=sum(part.elements for part in parts),
        worst_ratio=max((part.worst_ratio for part in parts), default=0.0),
        worst_ulp=max((part.worst_ulp for part in parts), default=0.0),
        worst_index=parts[0].worst_index if parts else None,
        mismatches=tuple(wrong for part in parts for wrong in part.mismatches),
    )


def _require_comparable(
    actual: tuple[Array, ...], expected: tuple[Array, ...], bounds: tuple[Array, ...] | None
) -> None:
    """Refuse to compare what cannot correspond, what is no number, and bounds that cannot judge."""
    sides = {"test": actual, "reference": expected, "bound": bounds}
    counts = {who: len(outputs) for who, outputs in sides.items() if outputs is not None}
    if len(set(counts.values())) != 1:
        said = ", ".join(f"the {who} gives {count}" for who, count in counts.items())
        raise UsageError(f"different numbers of outputs: {said}")
    for got, want in zip(actual, expected, strict=True):
        _require_numbers("output", got)
        _require_numbers("reference", want)
        if got.shape != want.shape:
            raise UsageError(f"the output's shape is {got.shape}, the reference's {want.shape}")
    for limit, want in zip(bounds or (), expected, strict=False):
        _require_numbers("bound", limit)
        _require_sound(limit, want)


def _require_numbers(who: str, values: Array) -> None:
    """Raise UsageError for an array of objects, text, or anything else but real numbers."""
    kind = values.dtype.kind in "iubf" or values.dtype.type.__module__.startswith("ml_dtypes")
    if not kind:
        raise UsageError(f"the {who}'s dtype is {values.dtype.name}, which holds no real numbers")


def _require_sound(limit: Array, want: Array) -> None:
    """Raise UsageError for a bound of another shape, or without a value where it must judge."""
    try:
        allowed = np.broadcast_to(_wide(limit), want.shape)
    except ValueError:
        raise UsageError(
            f"the bound's shape is {limit.shape}, the reference's {want.shape}"
        ) from None
    unsound = np.isfinite(_wide(want)) & ~(np.isfinite(allowed) & (allowed >= 0))
    if unsound.any():
        index = tuple(int(i) for i in np.argwhere(unsound)[0])
        # Of this oracle's bounds an infinite one says that sums may overflow on the way.
        hint = "; draw inputs that cannot overflow" if np.isinf(allowed[index]) else ""
        raise UsageError(
            f"the bound is {allowed[index]} at {index}: it must be finite and not negative where "
            f"the reference is finite{hint}"
        )


def _unwritten(actual: Array, poisoned: bool) -> Mask:
    """Return where an output still holds the poison."""
    if not poisoned or not actual.size:
        return np.zeros(actual.shape, dtype=bool)
    bits = np.ascontiguousarray(actual).view(np.uint8).reshape(*actual.shape, -1)
    return np.asarray(np.all(bits == POISON_BYTE, axis=-1))


def _compare_bits(number: int, got: Array, want: Array, poisoned: bool) -> Comparison:
    """Judge an exact output."""
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = want.astype(got.dtype)
        same = _bit_patterns(got) == _bit_patterns(wanted)
        if _is_float(got.dtype):
            same |= np.isnan(got) & np.isnan(wanted)
        else:
            # What an integer output cannot hold is not right by wrapping around as the output does.
            same &= wanted.astype(want.dtype) == want
            wanted = want
    sides = _Sides(number, got, _wide(got), _wide(wanted), np.zeros(got.shape))
    error = _distance(sides.got, sides.want)
    # A NaN of the poison's bits is right where a NaN is: conversions keep payloads.
    unwritten = _unwritten(got, poisoned) & ~same
    kinds = (("unwritten-output", unwritten), ("conversion-inexact", ~same & ~unwritten))
    found = tuple(sides.mismatch(kind, mask, error) for kind, mask in kinds if mask.any())
    ulp = _worst(np.where(same, 0.0, _ulps(error, sides.want, got.dtype)))
    return Comparison(got.size, np.inf if found else 0.0, ulp, None, found)


def _compare_values(
    number: int, got: Array, want: Array, bound: Wide, poisoned: bool
) -> Comparison:
    """Judge an output with a bound per element."""
    sides = _Sides(number, got, _wide(got), _wide(want), bound)
    error = _distance(sides.got, sides.want)
    finite = np.isfinite(sides.got) & np.isfinite(sides.want)
    # The poison is a right answer too: -1 of an integer, the one NaN of some formats of 8 bits.
    right = (finite & (error <= bound)) | (np.isnan(sides.want) & (got.dtype.itemsize == 1))
    unwritten = _unwritten(got, poisoned) & ~right
    overflowed = ~unwritten & np.isinf(sides.got) & np.isfinite(sides.want)
    excused = overflowed & _may_overflow(sides)
    odd = ~unwritten & ~finite & ~overflowed & ~_same_class(sides.got, sides.want)
    beyond = ~unwritten & finite & (error > bound)
    kinds = (
        ("unwritten-output", unwritten),
        ("nonfinite-mismatch", odd),
        ("overflow", overflowed & ~excused),
        ("bound-exceeded", beyond),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(finite, np.where(error > 0, error / bound, 0.0), 0.0)
    ranked = np.where(finite, ratio, -1.0)  # of all-exact results a finite one, never a NaN
    worst = np.unravel_index(int(np.argmax(ranked)), ratio.shape) if finite.any() else None
    return Comparison(
        elements=got.size,
        worst_ratio=_worst(ratio),
        worst_ulp=_worst(np.where(finite, _ulps(error, sides.want, got.dtype), 0.0)),
        worst_index=None if worst is None else tuple(int(i) for i in worst),
        mismatches=tuple(sides.mismatch(kind, mask, error) for kind, mask in kinds if mask.any()),
    )


def _may_overflow(sides: _Sides) -> Mask:
    """Return where the right answer, moved by no more than its bound, leaves the format."""
    if not _is_float(sides.actual.dtype):
        return np.zeros(sides.got.shape, dtype=bool)
    largest = float(_finfo(sides.actual.dtype).max)
    same_sign: Mask = np.signbit(sides.got) == np.signbit(sides.want)
    return same_sign & (np.abs(sides.want) + sides.bound > largest)


def _same_class(got: Wide, want: Wide) -> Mask:
    """Return where both are NaN, or both the same infinity."""
    same: Mask = (np.isnan(got) & np.isnan(want)) | (np.isinf(want) & (got == want))
    return same


def _distance(got: Wide, want: Wide) -> Wide:
    """Return |got - want|, NaN where either is NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(got - want)


def _ulps(error: Wide, want: Wide, dtype: np.dtype[Any]) -> Wide:
    """Return the error in units in the last place of *want* in a float format, else as it is."""
    if not _is_float(dtype):
        return error
    info = _finfo(dtype)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        _, exponent = np.frexp(np.where(np.isfinite(want), want, 1.0))
        # frexp's mantissa lies in [1/2, 1); below the normal range the spacing is constant.
        spacing = np.ldexp(float(info.eps), np.maximum(exponent - 1, int(info.minexp)))
        return np.asarray(error / spacing)


def _worst(values: Wide) -> float:
    """Return the largest value; 0 of none."""
    return float(np.max(values, initial=0.0, where=~np.isnan(values)))


def _wide(values: Array) -> Wide:
    """Return the values in float64, exactly for every format up to 32 bits."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values).astype(np.float64)


def _bit_patterns(values: Array) -> Array:
    """Return the values' bits as unsigned integers."""
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def _is_float(dtype: np.dtype[Any]) -> bool:
    """Tell numpy's and ml_dtypes' floats from integers; ml_dtypes' have the kind V or f."""
    return dtype.kind not in "iub"


def _finfo(dtype: np.dtype[Any]) -> Any:
    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def mutants(outputs: tuple[Array, ...], u_out: float) -> Iterator[tuple[str, tuple[Array, ...]]]:
    """Yield wrong outputs that a bound which judges anything must reject on some input.

    For floats: zeros, the sign flipped, x (1 + max(.01, 8 u)). For integers, which index or
    count: the first two swapped, one more.
    """
    floats = all(_is_float(output.dtype) for output in outputs)
    if floats:
        scale = 1.0 + max(0.01, 8.0 * u_out)
        yield "zeros", tuple(np.zeros_like(output) for output in outputs)
        yield "sign flipped", tuple((-output).astype(output.dtype) for output in outputs)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = tuple((_wide(output) * scale).astype(output.dtype) for output in outputs)
        yield f"scaled by {scale:.4g}", scaled
        return
    yield "off by one", tuple(output + np.ones_like(output) for output in outputs)
    yield "first two swapped", tuple(_swapped(output) for output in outputs)


def _swapped(output: Array) -> Array:
    """Return a copy with its first two different neighbours along the last axis swapped."""
    flat = output.reshape(-1).copy()
    differs = np.flatnonzero(flat[1:] != flat[:-1])
    if differs.size:
        first = int(differs[0])
        flat[[first, first + 1]] = flat[[first + 1, first]]
    return flat.reshape(output.shape)
