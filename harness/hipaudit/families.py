"""Families of values: named ways to fill a tensor, each one a habit of real data or of real bugs.

A family fills float64 and knows the limits of the format the values go to, so that one
definition of "the largest finite value" or "a subnormal" serves every format. Rows are the last
axis. The first family is the plainest: failing tests shrink towards it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

Wide: TypeAlias = npt.NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of a floating-point format."""

    largest: float
    smallest_normal: float
    smallest_subnormal: float

    @staticmethod
    def of(dtype: np.dtype[Any]) -> Limits:
        """Return the limits of a float dtype of numpy or ml_dtypes."""
        info: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
        return Limits(float(info.max), float(info.smallest_normal), float(info.smallest_subnormal))


@dataclass(frozen=True, slots=True)
class Family:
    """A named way to fill a tensor: fill(generator, shape, limits) -> float64 of that shape."""

    name: str
    fill: Callable[[np.random.Generator, Shape, Limits], Wide]

    def __repr__(self) -> str:
        """Return the name: what a failing test prints."""
        return self.name


def _uniform(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return generator.uniform(-1.0, 1.0, shape)


def _normal(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return generator.normal(0.0, 3.0, shape)


def _constant(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return np.full(shape, generator.uniform(-2.0, 2.0))


def _ascending(_: np.random.Generator, shape: Shape, __: Limits) -> Wide:
    """Every element its own value: a lost, doubled or displaced element shows."""
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape) % 2039 / 256.0 - 4.0


def _ties(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return generator.integers(-1, 2, shape).astype(np.float64)


def _one_hot(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    values = np.zeros(shape)
    if values.size:
        rows = values.reshape(-1, shape[-1])
        rows[np.arange(len(rows)), generator.integers(0, shape[-1], len(rows))] = 1.0
    return values


def _cancelling(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """The sum of x is 0 along each row while the sum of |x| is as large as 1e8."""
    values = np.zeros(shape)
    half = shape[-1] // 2
    size = min(1e8 / max(half, 1), limits.largest / max(4 * half, 1))
    drawn = generator.uniform(0.5, 1.0, (*shape[:-1], half)) * size
    values[..., :half], values[..., half : 2 * half] = drawn, -drawn
    return values


def _signed_zeros(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return np.copysign(0.0, generator.uniform(-1.0, 1.0, shape))


def _offset(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Logits far from 0, as an offset that a softmax must cancel."""
    return generator.normal(0.0, 3.0, shape) + min(1e4, limits.largest / 2)


def _deep(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Logits below every finite mask sentinel that kernels use for minus infinity."""
    return generator.uniform(-1.0, 0.0, shape) * min(3e5, limits.largest / 2)


def _steep(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    """Logits so far apart that most exponentials underflow, some to subnormals."""
    return generator.uniform(-110.0, 0.0, shape)


def _partly_masked(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    """A causal mask's rows: -inf behind a point, at least one element left."""
    values = generator.normal(0.0, 3.0, shape)
    keep = generator.integers(1, max(shape[-1], 1) + 1, (*shape[:-1], 1))
    return np.where(np.arange(shape[-1]) < keep, values, -np.inf)


def _subnormal(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    steps = int(limits.smallest_normal / limits.smallest_subnormal)
    codes: Wide = generator.integers(-steps + 1, steps, shape).astype(np.float64)
    return codes * limits.smallest_subnormal


def _near_largest(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    signs: Wide = generator.choice([-1.0, 0.5, 1.0], shape)
    return signs * limits.largest


def _wide_range(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Every binary exponent of the format is as likely as any other."""
    low, high = np.log2(limits.smallest_subnormal), np.log2(limits.largest)
    values: Wide = np.exp2(generator.uniform(low, high, shape))
    values *= generator.choice([-1.0, 1.0], shape)
    return values


def _wholly_masked(generator: np.random.Generator, shape: Shape, limits: Limits) -> Wide:
    """Some rows of -inf alone: their softmax has no value."""
    values = _partly_masked(generator, shape, limits)
    values[generator.uniform(size=shape[:-1]) < 0.5] = -np.inf
    return values


def _planted(generator: np.random.Generator, shape: Shape, special: float) -> Wide:
    """Ordinary values with about one special value in every second row."""
    values = generator.normal(0.0, 3.0, shape)
    if values.size:
        rows = values.reshape(-1, shape[-1])
        hit = np.flatnonzero(generator.uniform(size=len(rows)) < 0.5)
        rows[hit, generator.integers(0, shape[-1], len(hit))] = special
    return values


def _with_nan(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return _planted(generator, shape, np.nan)


def _with_infinity(generator: np.random.Generator, shape: Shape, _: Limits) -> Wide:
    return _planted(generator, shape, np.inf)


WELL_SCALED = (
    Family("uniform", _uniform),
    Family("normal", _normal),
    Family("constant", _constant),
    Family("ascending", _ascending),
    Family("ties", _ties),
    Family("one-hot", _one_hot),
    Family("cancelling", _cancelling),
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
