"""Families of values: named ways to fill a tensor, each one a habit of real data or of real bugs.

A family fills float32, or float64 where the values go to such a format, and knows that format's
limits, so that one definition of "the largest finite value" or "a subnormal" serves every format.
A million elements take a few milliseconds. Rows are the last axis. The first family is the
plainest: failing tests shrink towards it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

Wide: TypeAlias = npt.NDArray[np.floating[Any]]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of a floating-point format, and the format that its values are drawn in.

    epsilon is the distance from 1 to the next number.
    """

    largest: float
    smallest_normal: float
    smallest_subnormal: float
    epsilon: float
    drawn: type[np.float32 | np.float64] = np.float32

    @staticmethod
    def of(dtype: np.dtype[Any]) -> Limits:
        """Return the limits of a float dtype of numpy or ml_dtypes."""
        info: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
        drawn = np.float64 if dtype.itemsize > 4 else np.float32
        smallest = float(info.smallest_normal), float(info.smallest_subnormal)
        return Limits(float(info.max), *smallest, float(info.eps), drawn)


@dataclass(frozen=True, slots=True)
class Family:
    """A named way to fill a tensor: fill(generator, shape, limits) -> floats of that shape."""

    name: str
    fill: Callable[[np.random.Generator, Shape, Limits], Wide]

    def __repr__(self) -> str:
        """Return the name: what a failing test prints."""
        return self.name


def _between(
    generator: np.random.Generator, shape: Shape, limits: Limits, low: float, high: float
) -> Wide:
    values: Wide = generator.random(shape, limits.drawn)
    values *= limits.drawn(high - low)
    values += limits.drawn(low)
    return values


def _of(generator: np.random.Generator, shape: Shape, limits: Limits, *few: float) -> Wide:
    """Return values each of which is one of a few."""
    picked = generator.integers(0, len(few), shape, dtype=np.int8)
    return np.asarray(np.array(few, limits.drawn)[picked])


def _signs(generator: np.random.Generator, values: Wide) -> None:
    """Give half of the values the other sign."""
    bits = generator.integers(0, 2, values.shape, dtype=np.uint8).astype(bool)
    np.negative(values, out=values, where=bits)


def _uniform(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    return _between(generator, shape, limits, -1.0, 1.0)


def _normal(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    values: Wide = generator.standard_normal(shape, limits.drawn)
    values *= limits.drawn(3.0)
    return values


def _constant(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    return np.full(shape, generator.uniform(-2.0, 2.0), limits.drawn)


def _ascending(_: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Every element its own value: a lost, doubled or displaced element shows."""
    steps: Wide = np.asarray(np.arange(2039) / 256 - 4, limits.drawn)
    return steps[np.arange(math.prod(shape)) % 2039].reshape(shape)


def _ties(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Three values; in about every second row the largest first comes anywhere, often at an end."""
    values = _of(generator, shape, limits, -1.0, 0.0, 1.0)
    if values.size:
        rows, last = values.reshape(-1, shape[-1]), shape[-1] - 1
        begins = _places(generator, last, len(rows)) * generator.integers(0, 2, len(rows))
        np.minimum(rows, 0.0, out=rows, where=np.arange(last + 1) < begins[:, np.newaxis])
        rows[np.arange(len(rows)), begins] = 1.0
    return values


def _places(generator: np.random.Generator, last: int, count: int) -> npt.NDArray[np.int64]:
    """Places in [0, last]: a third of them each end, where searches begin and loops leave off."""
    return generator.integers(-last - 1, 2 * last + 2, count).clip(0, last)


def _one_hot(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    values = np.zeros(shape, limits.drawn)
    if values.size:
        rows = values.reshape(-1, shape[-1])
        rows[np.arange(len(rows)), generator.integers(0, shape[-1], len(rows))] = 1.0
    return values


def _cancelling(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """The sum of x is 0 along each row while the sum of |x| is as large as 1e8."""
    values = np.zeros(shape, limits.drawn)
    half = shape[-1] // 2
    size = min(1e8 / max(half, 1), limits.largest / max(4 * half, 1))
    drawn = _between(generator, (*shape[:-1], half), limits, 0.5 * size, size)
    values[..., :half], values[..., half : 2 * half] = drawn, -drawn
    return values


def _far_mean(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Rows that spread little around a mean far from 0: E x^2 - mean^2 cancels.

    In float32 the mean is up to 2^13 spreads: the square of that times the rounding error is
    more than 1. In shorter formats the spread is what the format still resolves.
    """
    sizes = generator.uniform(8.0, 13.0, (*shape[:-1], 1))
    means = np.minimum(np.exp2(sizes), limits.largest / 4)
    values: Wide = generator.standard_normal(shape, limits.drawn)
    values *= np.maximum(1.0, means * (2 * limits.epsilon)).astype(limits.drawn)
    means *= generator.choice([-1.0, 1.0], means.shape)
    values += means.astype(limits.drawn)
    return values


def _signed_zeros(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    return _of(generator, shape, limits, -0.0, 0.0)


def _offset(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Logits far from 0, within fp16 or beyond it: an offset that a softmax must cancel."""
    values = _normal(generator, shape, limits)
    values += limits.drawn(min(generator.choice([1e4, 1e5]), limits.largest / 2))
    return values


def _deep(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Logits below every finite mask sentinel that kernels use for minus infinity."""
    return _between(generator, shape, limits, -min(3e5, limits.largest / 2), 0.0)


def _steep(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Logits so far apart that most exponentials underflow, some to subnormals."""
    return _between(generator, shape, limits, -110.0, 0.0)


def _partly_masked(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """A causal mask's rows: -inf behind a point, at least one element left."""
    values = _normal(generator, shape, limits)
    keep = generator.integers(1, max(shape[-1], 1) + 1, (*shape[:-1], 1))
    np.copyto(values, -np.inf, where=np.arange(shape[-1]) >= keep)
    return values


def _subnormal(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    steps = int(limits.smallest_normal / limits.smallest_subnormal)
    codes: Wide = generator.integers(-steps + 1, steps, shape).astype(limits.drawn)
    codes *= limits.drawn(limits.smallest_subnormal)
    return codes


def _near_largest(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    return _of(generator, shape, limits, -limits.largest, limits.largest / 2, limits.largest)


def _wide_range(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Every binary exponent of the format is as likely as any other."""
    low, high = np.log2(limits.smallest_subnormal), np.log2(limits.largest)
    exponents = generator.integers(int(low), int(high), shape, dtype=np.int32)
    values: Wide = np.ldexp(_between(generator, shape, limits, 1.0, 2.0), exponents)
    if limits.smallest_subnormal > np.finfo(limits.drawn).smallest_normal:
        # To be rounded to a subnormal costs a conversion ten times what any other number does.
        step = limits.drawn(limits.smallest_subnormal)
        values = np.multiply(np.rint(np.divide(values, step)), step)
    _signs(generator, values)
    return values


def _wholly_masked(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Some rows of -inf alone: their softmax has no value."""
    values = _partly_masked(generator, shape, limits)
    values[generator.uniform(size=shape[:-1]) < 0.5] = -np.inf
    return values


def _planted(generator: np.random.Generator, shape: Shape, limits: Limits, special: float) -> Wide:
    """Ordinary values with a special one in about every second row, often at one of its ends."""
    values = _normal(generator, shape, limits)
    if values.size:
        rows = values.reshape(-1, shape[-1])
        hit = np.flatnonzero(generator.uniform(size=len(rows)) < 0.5)
        hit = hit if hit.size else np.array([len(rows) - 1])
        rows[hit, _places(generator, shape[-1] - 1, len(hit))] = special
    return values


def _with_nan(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    return _planted(generator, shape, limits, np.nan)


def _with_infinity(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Infinities of either sign, at most one a row."""
    values = _planted(generator, shape, limits, np.inf)
    if values.size:
        rows = values.reshape(-1, shape[-1])
        lower = generator.integers(0, 2, (len(rows), 1), dtype=np.uint8).astype(bool)
        np.negative(rows, out=rows, where=lower & np.isinf(rows))
    return values


WELL_SCALED = (
    Family("uniform", _uniform),
    Family("normal", _normal),
    Family("constant", _constant),
    Family("ascending", _ascending),
    Family("ties", _ties),
    Family("one-hot", _one_hot),
    Family("cancelling", _cancelling),
    Family("far mean", _far_mean),
    Family("signed zeros", _signed_zeros),
)
LOGITS = (
    Family("offset", _offset),
    Family("deep", _deep),
    Family("steep", _steep),
    Family("partly masked", _partly_masked),
)
EXTREMES = (
    Family("subnormal", _subnormal),
    Family("near largest", _near_largest),
    Family("wide range", _wide_range),
)
PLANTED = (
    Family("with nan", _with_nan),
    Family("with infinity", _with_infinity),
    Family("wholly masked", _wholly_masked),
)
ALL = (*WELL_SCALED, *LOGITS, *EXTREMES, *PLANTED)
