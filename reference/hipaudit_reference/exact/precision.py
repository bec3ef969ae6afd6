"""The arithmetic of the exact references: mpmath at a precision that nothing here exhausts."""

from __future__ import annotations

from typing import Any, TypeAlias

import mpmath
import numpy as np
from mpmath.libmp import from_man_exp
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64

# mpmath ships no types. A Real is an mpf: any magnitude, infinities and NaN included.
Real: TypeAlias = Any
Index: TypeAlias = "tuple[int, ...]"

# 2^-256 leaves 200 correct bits after cancellation among fp32 sums of any length here.
PRECISION_BITS = 256

_MANTISSA = 53  # bits of a float64


def working_precision() -> Any:
    """Compute at PRECISION_BITS inside a `with`."""
    return mpmath.workprec(PRECISION_BITS)


def real(value: float) -> Real:
    """A float64 as an exact mpf."""
    return mpmath.mpf(float(value))


def reals(values: ArrayLike) -> list[Real]:
    """The elements of an array, flat, as exact mpf."""
    flat: Float64 = as_float64(values).reshape(-1)
    if not np.isfinite(flat).all():
        return [mpmath.mpf(value) for value in flat.tolist()]
    # The same as mpf of each, without its guesses at what it was given: these come by the million.
    fractions, exponents = np.frexp(flat)
    integers = (fractions * 2.0**_MANTISSA).astype(np.int64).tolist()
    shifts = (exponents - _MANTISSA).tolist()
    made = (from_man_exp(each, shift) for each, shift in zip(integers, shifts, strict=True))
    return [mpmath.mp.make_mpf(value) for value in made]


def total(values: list[Real]) -> Real:
    """Their sum, rounded once."""
    return mpmath.fsum(values)


def dot(left: list[Real], right: list[Real]) -> Real:
    """Their inner product; 0 * inf is NaN, as in IEEE arithmetic."""
    return mpmath.fsum(a * b for a, b in zip(left, right, strict=True))
