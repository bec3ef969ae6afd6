"""The arithmetic of the exact references: mpmath at a precision that nothing here exhausts."""

from __future__ import annotations

from typing import Any, TypeAlias

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64

# mpmath ships no types. A Real is an mpf: any magnitude, infinities and NaN included.
Real: TypeAlias = Any
Index: TypeAlias = "tuple[int, ...]"

# 2^-256 leaves 200 correct bits after cancellation among fp32 sums of any length here.
PRECISION_BITS = 256


def working_precision() -> Any:
    """Compute at PRECISION_BITS inside a `with`."""
    return mpmath.workprec(PRECISION_BITS)


def real(value: float) -> Real:
    """A float64 as an exact mpf."""
    return mpmath.mpf(float(value))


def reals(values: ArrayLike) -> list[Real]:
    """The elements of an array, flat, as exact mpf."""
    flat: Float64 = as_float64(values).reshape(-1)
    return [mpmath.mpf(value) for value in flat.tolist()]


def total(values: list[Real]) -> Real:
    """Their sum, rounded once."""
    return mpmath.fsum(values)


def dot(left: list[Real], right: list[Real]) -> Real:
    """Their inner product; 0 * inf is NaN, as in IEEE arithmetic."""
    return mpmath.fsum(a * b for a, b in zip(left, right, strict=True))
