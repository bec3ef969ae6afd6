"""Exact softmax, one element at a time."""

from __future__ import annotations

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_booleans, as_float64
from hipaudit_reference.exact.precision import Index, Real, real, reals, total, working_precision
from hipaudit_reference.references.softmaxes import MaskedRows


def softmax(
    x: ArrayLike,
    mask: ArrayLike | None = None,
    scale: float = 1.0,
    masked_rows: MaskedRows = "zero",
    *,
    at: Index,
) -> Real:
    """Element `at` of `softmax`, exactly rounded to 256 bits."""
    rows = as_float64(x)
    with working_precision():
        logits = [real(scale) * value for value in reals(rows[at[:-1]])]
        if mask is not None:
            keep = as_booleans(mask, "mask")
            row = keep if keep.ndim < rows.ndim else keep[at[:-1]]
            kept = [bool(flag) for flag in row.reshape(-1)]
            logits = [s if k else -mpmath.inf for s, k in zip(logits, kept, strict=True)]
        if any(mpmath.isnan(s) or s == mpmath.inf for s in logits):
            return mpmath.nan
        peak = max(logits)
        if peak == -mpmath.inf:
            return mpmath.mpf(0) if masked_rows == "zero" else mpmath.nan
        weights = [mpmath.exp(s - peak) for s in logits]
        return weights[at[-1]] / total(weights)
