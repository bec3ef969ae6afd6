"""How an error grows with the number of terms, which says how a kernel sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, require

Growth = Literal["flat", "log", "sqrt", "linear"]


@dataclass(frozen=True, slots=True)
class GrowthFit:
    """The law that fits best, err = factor * law(n).

    law: flat (compensated), log (tree), sqrt (serial with roundings of mean zero), linear (serial
    at its worst, or truncating). exponent: the slope of log err over log n, by least squares.
    scatter: root mean square of the law's residuals in log2; ambiguous: another law fits within
    10% of it.
    """

    law: Growth
    factor: float
    exponent: float
    scatter: float
    ambiguous: bool


def fit_growth(sizes: ArrayLike, errors: ArrayLike) -> GrowthFit:
    """Fit the laws to errors at several sizes: sizes (m,) >= 2 and rising, errors (m,) > 0.

    Errors are relative to sum |x| (any unit), best root mean squares over many inputs of a size:
    a single error scatters by more than the laws differ. At least three sizes, over a factor of
    16 or more. Zero errors are taken as half of the smallest positive one.
    Source for the laws: Higham 1993; Higham & Mary 2019.
    """
    n, err = as_float64(sizes, "sizes"), as_float64(errors, "errors")
    require(n.shape == err.shape and n.ndim == 1, f"sizes {n.shape} and errors {err.shape} differ")
    require(
        n.size >= 3 and float(n.max()) >= 16 * float(n.min()), f"sizes: {n} are too few or near"
    )
    require(bool(np.all(n >= 2) and np.all(err >= 0)), "sizes must be >= 2 and errors >= 0")
    positive = err[err > 0]
    if not positive.size:
        return GrowthFit("flat", 0.0, 0.0, 0.0, ambiguous=False)
    logarithm = np.log2(np.where(err > 0, err, positive.min() / 2))
    laws: dict[Growth, Float64] = {
        "flat": np.zeros_like(n),
        "log": np.log2(np.log2(n)),
        "sqrt": 0.5 * np.log2(n),
        "linear": np.log2(n),
    }
    scatter = {law: float(np.std(logarithm - shape)) for law, shape in laws.items()}
    best = min(scatter, key=scatter.__getitem__)
    near = [law for law, value in scatter.items() if value <= 1.1 * scatter[best]]
    return GrowthFit(
        law=best,
        factor=float(2.0 ** np.mean(logarithm - laws[best])),
        exponent=float(np.polyfit(np.log2(n), logarithm, 1)[0]),
        scatter=scatter[best],
        ambiguous=len(near) > 1,
    )
