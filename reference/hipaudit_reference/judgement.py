"""One element against its reference and bound: the policy for what is not finite, then the error.

`bounds.assembly` defines what reference and bound mean together; here it is applied, as a pure
function over arrays. Never a norm for a whole tensor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Booleans, Float64, as_float64, quiet, require
from hipaudit_reference.formats import FP32, Format


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of each element (all arrays of the output's shape).

    accepted: within the bound, or the right NaN or infinity. determined: there was something to
    judge; where it is False, every value is accepted and proves nothing. ratio: error / bound; 0
    for an element that is exactly right, infinite for one of the wrong class or of any error
    where the bound is 0, NaN where undetermined.
    """

    accepted: Booleans
    determined: Booleans
    ratio: Float64

    @property
    def worst(self) -> float:
        """The largest ratio of the elements that are determined; 0 when there is none."""
        return float(np.max(self.ratio, where=self.determined, initial=0.0))


@quiet
def judge(
    actual: ArrayLike, reference: ArrayLike, bound: ArrayLike, out: Format = FP32
) -> Judgement:
    """Judge a kernel's output, elementwise; all three have one shape.

    A reference of NaN asks for NaN, an infinite one for that infinity (in a format without
    infinities: NaN, or the largest number with its sign). A finite one asks for an error within
    the bound, or for an infinity of its sign where |reference| + bound passes the largest number.
    A bound that is negative or NaN is a ValueError: nothing could be judged by it.
    """
    a, r = as_float64(actual, "actual"), as_float64(reference, "reference")
    b = as_float64(bound, "bound")
    require(
        a.shape == r.shape == b.shape,
        f"shapes differ: actual {a.shape}, reference {r.shape}, bound {b.shape}",
    )
    require(bool(np.all(b >= 0)), f"bound: {b[~(b >= 0)][:1]} is no bound")
    error = np.abs(a - r)
    ratio = np.where(error == 0, 0.0, error / b)
    right_class = (np.isnan(r) & np.isnan(a)) | (a == r)
    same_sign = np.signbit(a) == np.signbit(r)
    overflowed = np.isinf(a) & same_sign
    if not out.has_infinity:
        overflowed |= np.isnan(a) | ((np.abs(a) == out.max_finite) & same_sign)
        right_class |= np.isinf(r) & overflowed
    may_overflow = np.isfinite(r) & (np.abs(r) + b > out.max_finite)
    right_class |= may_overflow & overflowed
    both_finite = np.isfinite(a) & np.isfinite(r)
    ratio = np.where(right_class, 0.0, np.where(both_finite, ratio, np.inf))
    determined = b != np.inf
    accepted = ~determined | (ratio <= 1)
    return Judgement(accepted, determined, np.where(determined, ratio, np.nan))
