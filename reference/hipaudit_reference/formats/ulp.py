"""Units in the last place.

Source: Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., section 2.6 (Goldberg's
and Kahan's definitions); here ulp(x) = 2^(max(e, emin) - p + 1) for 2^e <= |x| < 2^(e+1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, Integers, as_float64, quiet
from hipaudit_reference.formats.floats import Format
from hipaudit_reference.formats.rounding import encode


@quiet
def ulp(values: ArrayLike, of: Format) -> Float64:
    """Spacing of a format at each value (same shape, in the values' own unit).

    The smallest subnormal at and below the subnormal range; the spacing of the last binade
    beyond the largest finite number; NaN for NaN and infinities.
    """
    x = as_float64(values)
    _, exponent = np.frexp(x)
    exponent = np.where(x == 0, of.min_exponent, exponent - 1)
    exponent = np.clip(exponent, of.min_exponent, of.max_exponent)
    return np.where(np.isfinite(x), np.ldexp(1.0, exponent - of.mantissa_bits), np.nan)


@quiet
def ulp_error(actual: ArrayLike, exact: ArrayLike, of: Format) -> Float64:
    """|actual - exact| in units of ulp(exact); 0 where both are the same infinity or both NaN.

    Infinite where only one of them is finite, or the infinities differ in sign.
    """
    a = as_float64(actual, "actual")
    e = as_float64(exact, "exact")
    error = np.abs(a - e) / ulp(e, of)
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


def ordered(values: ArrayLike, of: Format) -> Integers:
    """Integers that count the format's numbers in order: -0 and +0 are both 0.

    Values are rounded to the format first. Infinities come right after the largest finite
    number. Formats of at most 32 bits.
    """
    if of.bits > 32:
        msg = f"{of.name}: ordering is defined for formats of at most 32 bits"
        raise ValueError(msg)
    codes = encode(values, of).astype(np.int64)
    sign_bit = 1 << (of.bits - 1)
    magnitude = codes & (sign_bit - 1)
    return np.where(codes & sign_bit, -magnitude, magnitude)


def ulp_distance(actual: ArrayLike, expected: ArrayLike, of: Format) -> Float64:
    """How many steps of the format lie between two arrays, elementwise.

    0 where both are NaN, infinite where one is. As float64, so that infinity can be said.
    """
    a = as_float64(actual, "actual")
    e = as_float64(expected, "expected")
    steps = np.abs(ordered(a, of) - ordered(e, of)).astype(np.float64)
    either = np.isnan(a) | np.isnan(e)
    return np.where(either, np.where(np.isnan(a) & np.isnan(e), 0.0, np.inf), steps)
