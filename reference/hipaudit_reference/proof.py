"""What a reference itself is off by, against mpmath: it must stay below bound / 100."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.exact.precision import Index, working_precision

LIMIT = 0.01


@dataclass(frozen=True, slots=True)
class OwnError:
    """The worst element: |reference - exact| / bound, where it is, and what both have there."""

    ratio: float
    at: Index
    reference: float
    exact: float

    @property
    def proven(self) -> bool:
        """Whether the reference may judge by this bound."""
        return self.ratio < LIMIT


def own_error(
    reference: Float64,
    bound: Float64,
    spot: Callable[..., Any],
    indices: Iterable[Index] | None = None,
) -> OwnError:
    """Compare elements of a reference with `spot(at=index)`, an mpmath number.

    All elements by default, else those of `indices`. An element that is not determined (infinite
    bound) is passed over; one whose class differs (NaN, infinity) has an infinite ratio.
    """
    worst = OwnError(0.0, (), float("nan"), float("nan"))
    values, limits = as_float64(reference, "reference"), as_float64(bound, "bound")
    for index in np.ndindex(values.shape) if indices is None else indices:
        if limits[index] == np.inf:
            continue
        exact = spot(at=index)
        ratio = _ratio(float(values[index]), exact, float(limits[index]))
        if ratio >= worst.ratio:
            worst = OwnError(ratio, index, float(values[index]), float(exact))
    return worst


def _ratio(value: float, exact: Any, limit: float) -> float:
    """|value - exact| / limit; 0 / 0 is 0."""
    if mpmath.isnan(exact) or np.isnan(value):
        return 0.0 if mpmath.isnan(exact) and np.isnan(value) else float("inf")
    with working_precision():
        if mpmath.mpf(value) == exact:
            return 0.0
        if not (mpmath.isfinite(exact) and np.isfinite(value)) or limit == 0:
            return float("inf")
        return float(abs(mpmath.mpf(value) - exact) / limit)
