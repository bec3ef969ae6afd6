"""Normalisation of rows, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet, require, require_rank


@quiet
def rms_norm(x: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5) -> Float64:
    """RMSNorm: y = x / sqrt(mean(x^2) + eps) * weight, over the last axis.

    x (..., n), weight (n,) or None, eps > 0 without unit; returns (..., n).
    Non-finite: a NaN in a row makes the row NaN; an infinity makes its own element NaN and the
    others 0 (that is IEEE arithmetic, evaluated in any order).
    Own error: at most (n + 10) 2^-53 relative, far below 2^-24 / 100.
    Source: Zhang & Sennrich, "Root mean square layer normalization", NeurIPS 2019.
    """
    rows, scale = _rows(x, weight)
    mean_square = np.mean(rows * rows, axis=-1, keepdims=True) if rows.size else rows
    return rows * (1 / np.sqrt(mean_square + eps)) * scale


@quiet
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Float64:
    """LayerNorm: y = (x - mean) / sqrt(var + eps) * weight + bias, over the last axis.

    x (..., n), weight and bias (n,) or None; var is the mean of (x - mean)^2 (biased). Returns
    (..., n). A NaN or an infinity in a row makes the row NaN.
    Own error: the two-pass form's, with u = 2^-53 (see `bounds.layer_norm`).
    Source: Ba, Kiros & Hinton, "Layer normalization", 2016.
    """
    rows, scale = _rows(x, weight)
    shift = as_float64(0.0 if bias is None else bias, "bias")
    if not rows.size:
        return rows
    centred = rows - np.mean(rows, axis=-1, keepdims=True)
    # Exactly, these sum to zero; taking their mean out again removes the rounding of the first.
    centred -= np.mean(centred, axis=-1, keepdims=True)
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    return np.asarray(centred * (1 / np.sqrt(variance + eps)) * scale + shift)


@quiet
def residual_rms_norm(
    x: ArrayLike, residual: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5
) -> tuple[Float64, Float64]:
    """Fused residual and norm: s = x + residual, y = RMSNorm(s); returns (y, s).

    x and residual (..., n) of one shape; weight (n,) or None. Both outputs (..., n).
    Own error: of s, 2^-53 |s|; of y, that of `rms_norm` of a row so rounded.
    """
    a, b = as_float64(x), as_float64(residual, "residual")
    require(a.shape == b.shape, f"residual: shape {b.shape} differs from x's {a.shape}")
    return rms_norm(a + b, weight, eps), a + b


def _rows(x: ArrayLike, weight: ArrayLike | None) -> tuple[Float64, Float64]:
    """Both as float64, the weight's shape checked against the rows."""
    rows = as_float64(x)
    require_rank(rows, 1, "x")
    scale = as_float64(1.0 if weight is None else weight, "weight")
    require(
        scale.shape in ((), rows.shape[-1:]),
        f"weight: shape {scale.shape} does not fit rows of {rows.shape[-1]}",
    )
    return rows, scale
