"""Bounds of dequantisation (none: it is exact) and of products with quantised weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format, ggml, mx
from hipaudit_reference.references import quantised as reference
from hipaudit_reference.summation import Height


@derived
def dequantise(
    blocks: ArrayLike,
    kind: str,
    out: Format = FP32,
    *,
    device: DeviceErrors = AMD,
) -> Float64:
    """0 for every element: dequantisation is judged to the bit (see `formats.ggml`).

    A device that flushes subnormals may lose what lies below the smallest normal number.
    """
    values = reference.dequantise(blocks, kind, out)
    small = np.isfinite(values) & (np.abs(values) < out.min_normal)
    return np.where(small, device.input_flush(out), 0.0)


@derived
def quantised_gemm(
    blocks: ArrayLike,
    kind: str,
    x: ArrayLike,
    *,
    factored: bool = False,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of x W^T with quantised W, per element of (..., n): gamma_{h+1} |x||W| + storing.

    `factored`: the kernel takes the scales out of the sums, d (sum q x) + m (sum x), so that a
    weight d q + m is never rounded and its parts need not cancel: then |W| is |d q| + |m| and
    there are four more roundings. Not determined where |x||W| may overflow.
    """
    y = reference.quantised_gemm(blocks, kind, x)
    values, matrix = reference.weights(blocks, kind, x)
    terms = values.shape[-1]
    matrix = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    if factored and kind not in mx.MX_KINDS:
        parts = ggml.magnitudes(blocks, kind).astype(np.float64).reshape(matrix.shape)
        matrix = np.where(np.isfinite(parts), parts, 0.0)
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    size = finite @ matrix.T
    extra = 5.0 if factored else 1.0
    error = accumulated(height, terms, working, device, extra=extra) * size
    error = error + 4 * terms * device.underflow(working)
    flush = device.input_flush(working)
    if flush:
        lost = np.sum(finite, axis=-1, keepdims=True) + np.sum(matrix, axis=-1)
        error = error + flush * lost
    overflow = size * (1 + extra * terms * device.unit(working)) >= working.max_finite
    return settled(stored(error, y, out, working, device), y, overflow)


@derived
def quantised_gemv(
    blocks: ArrayLike,
    kind: str,
    x: ArrayLike,
    *,
    factored: bool = False,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of W x with quantised W: see `quantised_gemm`."""
    return quantised_gemm(
        blocks,
        kind,
        x,
        factored=factored,
        height=height,
        working=working,
        out=out,
        device=device,
    )
