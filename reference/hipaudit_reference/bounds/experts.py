"""Bounds of a mixture of experts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.bounds.matrices import gemm
from hipaudit_reference.bounds.softmaxes import softmax
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import experts as reference
from hipaudit_reference.references.softmaxes import softmax as exact_softmax
from hipaudit_reference.summation import Height


@derived
def router(
    logits: ArrayLike,
    count: int,
    normalised: bool = True,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> tuple[Float64, Float64]:
    """Errors of the router's weights, and of its indices (all 0: compare them by acceptance).

    A weight p is off as `softmax` says, e; normalised, w = p / s with s the chosen sum:
    (e + w (sum e + gamma_count s)) / (s - ...) + u w. It holds rank by rank even where another
    choice is made: the sorted weights of two choices differ by no more than their errors.
    """
    p = exact_softmax(logits)
    error = softmax(logits, height=height, working=working, device=device)
    weights, order = reference.router(logits, count, normalised)
    if not weights.size:
        return np.zeros_like(weights), np.zeros(order.shape)
    # Sorting moves no element by more than the largest error of its row.
    each = np.broadcast_to(np.max(error, axis=-1, keepdims=True), weights.shape)
    if normalised:
        total = np.sum(reference.router_weights(p, order, normalised=False), -1, keepdims=True)
        slack = np.sum(each, axis=-1, keepdims=True)
        u = device.unit(working)
        slack = slack + accumulated(None, count, working, device) * (total + slack)
        left = total - slack
        each = np.where(left > 0, (each + weights * slack) / left, np.inf)
        each = np.minimum(each + device.quotient() * u * (weights + each), 1.0 + 4 * u)
    return settled(stored(each, weights, out, working, device), weights), np.zeros(order.shape)


@derived
def grouped_gemm(
    x: ArrayLike,
    weights: ArrayLike,
    offsets: ArrayLike,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of each group's product: that of `gemm`."""
    rows, matrices = as_float64(x), as_float64(weights, "weights")
    groups = reference.group_bounds(offsets, rows.shape[0], matrices.shape[0])
    parts = [
        gemm(rows[i:j], matrix, height=height, working=working, out=out, device=device)
        for (i, j), matrix in zip(groups, matrices, strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, matrices.shape[-1]))


@derived
def combine(
    y: ArrayLike,
    weights: ArrayLike,
    source: ArrayLike,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of sum_c w_c y_c: gamma_{h+1} sum |w_c y_c|, per element of (tokens, n)."""
    result = reference.combine(y, weights, source)
    shares = as_float64(weights, "weights")
    rows = reference.by_token(y, source, shares)
    finite = np.where(np.isfinite(rows), np.abs(rows), 0.0)
    kept = np.where(np.isfinite(shares), np.abs(shares), 0.0)
    size = np.einsum("tc,tcn->tn", kept, finite)
    count = shares.shape[-1]
    error = accumulated(height, count, working, device, extra=1) * size
    error = error + 2 * count * device.underflow(working)
    flush = device.input_flush(working)
    error = error + flush * np.sum(kept[..., None] + finite, axis=1)
    return settled(stored(error, result, out, working, device), result, size >= working.max_finite)
