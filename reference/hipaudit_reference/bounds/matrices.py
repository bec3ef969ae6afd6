"""Bounds of matrix products."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import accumulated, factor_roundings, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import matrices as reference
from hipaudit_reference.summation import Height


@derived
def gemm(
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike | None = None,
    alpha: float = 1.0,
    beta: float = 0.0,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of alpha A B + beta C, per element of (..., m, n).

    With h the height of the k additions: |alpha| gamma_{h+1} |A||B|, u for each product with
    alpha and beta and for the addition, and u_out of the result. Any order and any contraction
    to FMA keeps it; `height` as `SplitK(splits, partial=FP16)` adds partial sums in low
    precision, `BlockFma` is a matrix unit.
    Not determined where the partial sums may overflow: |A||B| beyond the largest number.
    Source: Higham, section 3.5; Jeannerod & Rump 2013; Blanchard et al. 2020.
    """
    y = reference.gemm(a, b, c, alpha, beta)
    left, right = reference.operands(a, b)
    u, tiny = device.unit(working), device.underflow(working)
    flush = device.input_flush(working)
    terms = left.shape[-1]
    product, size, lost = _sizes(left, right, flush)
    error = accumulated(height, terms, working, device, extra=1) * size
    error = error + lost + 2 * terms * tiny
    overflow = (1 + u * terms) * size * max(1.0, abs(alpha)) >= working.max_finite
    if alpha != 1:
        scaled = factor_roundings(alpha, working) * u * (np.abs(product) + error)
        error = abs(alpha) * (error + scaled) + tiny
    if beta != 0:
        addend = as_float64(0.0 if c is None else c, "c")
        scaled = factor_roundings(beta, working) * u * np.abs(beta * addend)
        error = error + scaled + abs(beta) * flush + 2 * tiny
        error = error + u * (np.abs(y) + error)
        # Inf in C is the reference's business; a huge finite one may overflow with the product.
        magnitude = np.where(np.isfinite(addend), np.abs(beta * addend), 0.0)
        overflow = overflow | (magnitude + abs(alpha) * size >= working.max_finite)
    return settled(stored(error, y, out, working, device), y, overflow)


def _sizes(left: Float64, right: Float64, flush: float) -> tuple[Float64, Float64, Float64 | float]:
    """A B, |A||B| over the finite elements, and what flushed elements of A and B may take away."""
    product = np.matmul(left, right)
    size_left, size_right = np.abs(left), np.abs(right)
    if not np.all(np.isfinite(product)):
        size_left = np.where(np.isfinite(left), size_left, 0.0)
        size_right = np.where(np.isfinite(right), size_right, 0.0)
    size = np.matmul(size_left, size_right)
    if flush == 0:
        return product, size, 0.0
    lost = np.sum(size_left, axis=-1)[..., None] + np.sum(size_right, axis=-2)[..., None, :]
    return product, size, flush * lost


@derived
def gemv(
    a: ArrayLike,
    x: ArrayLike,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of A x, per element of (..., m): that of `gemm` with one column."""
    column = as_float64(x)[..., None]
    whole = gemm(a, column, height=height, working=working, out=out, device=device)
    return np.asarray(whole[..., 0])
