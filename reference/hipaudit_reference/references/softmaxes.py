"""Softmax of rows, in float64."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import (
    Booleans,
    Float64,
    as_booleans,
    as_float64,
    quiet,
    require_rank,
)

MaskedRows = Literal["zero", "nan"]


@quiet
def softmax(
    x: ArrayLike,
    mask: ArrayLike | None = None,
    scale: float = 1.0,
    masked_rows: MaskedRows = "zero",
) -> Float64:
    """Softmax over the last axis: g_j = exp(s_j - max s) / sum_i exp(s_i - max s), s = scale x.

    x (..., n); mask broadcasts to x, True keeps an element, False is a logit of -inf. Returns
    (..., n); an empty row is empty.
    Policy for what is not finite, in this order:

    - a row with NaN or +Inf among its logits is all NaN (Inf - Inf is);
    - a row of -inf only (all masked) is all 0 with `masked_rows` "zero", the default, as an
      inference engine needs it, or all NaN with "nan", as PyTorch has it;
    - a single -inf is exactly 0.

    Own error: relative 2^-53 (d_j + sum_i g_i d_i + log2 n + 5), d = max s - s.
    Source: Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax
    functions", IMA J. Numer. Anal. 41, 2021, 2311-2330.
    """
    logits = scaled_logits(x, mask, scale)
    if not logits.size:
        return logits
    peak = np.max(logits, axis=-1, keepdims=True)
    weights = np.exp(logits - np.where(peak == -np.inf, 0.0, peak))
    total = np.sum(weights, axis=-1, keepdims=True)
    masked = 0.0 if masked_rows == "zero" else np.nan
    return np.where(total == 0, masked, weights / total)


def scaled_logits(x: ArrayLike, mask: ArrayLike | None, scale: float) -> Float64:
    """Return scale * x with -inf where the mask is False."""
    logits = as_float64(x)
    require_rank(logits, 1, "x")
    logits = logits * scale
    if mask is None:
        return logits
    keep = np.broadcast_to(as_booleans(mask, "mask"), logits.shape)
    return np.where(keep, logits, -np.inf)


def causal_mask(queries: int, keys: int, window: int | None = None) -> Booleans:
    """(queries, keys), True where a query sees a key.

    The last query is aligned with the last key: query i stands at position i + keys - queries
    and sees the keys up to its own position; with a window, only the last `window` of those.
    """
    position = np.arange(queries)[:, None] + (keys - queries)
    key = np.arange(keys)[None, :]
    seen = key <= position
    return seen if window is None else seen & (key > position - window)
