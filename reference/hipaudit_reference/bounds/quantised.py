"""Bounds of dequantisation (none: it is exact) and of products with quantised weights."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP16, FP32, Format, ggml, mx
from hipaudit_reference.references import quantised as reference
from hipaudit_reference.summation import Height

Activations: TypeAlias = Literal["as given", "Q8_1"]

_Q8_BLOCK, _Q8_LEVELS = 32, 127


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
    activations: Activations = "as given",
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of x W^T with quantised W, per element of (..., n): gamma_{h+1} |x||W| + storing.

    `factored`: the kernel takes the scales out of the sums, d (sum q x) + m (sum x), so that a
    weight d q + m is never rounded and its parts need not cancel: then |W| is |d q| + |m| and
    there are four more roundings. Not determined where |x||W| may overflow.

    `activations`: the kernel rounds x to blocks of Q8_1 first and adds integer products, so that
    x itself is off by what `q8_error` says; with `factored`.
    """
    y = reference.quantised_gemm(blocks, kind, x)
    values, matrix = reference.weights(blocks, kind, x)
    terms = values.shape[-1]
    matrix = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    if factored and kind not in mx.MX_KINDS:
        parts = ggml.magnitudes(blocks, kind).astype(np.float64).reshape(matrix.shape)
        matrix = np.where(np.isfinite(parts), parts, 0.0)
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    moved = np.zeros_like(finite)
    if activations == "Q8_1":
        moved = q8_error(finite, working, device)
    lossy = np.isinf(moved)
    rounded = np.where(lossy, 0.0, moved) @ matrix.T
    size = finite @ matrix.T + rounded
    extra = 5.0 if factored else 1.0
    error = accumulated(height, terms, working, device, extra=extra) * size
    error = error + rounded + 4 * terms * device.underflow(working)
    flush = device.input_flush(working)
    if flush:
        lost = np.sum(finite, axis=-1, keepdims=True) + np.sum(matrix, axis=-1)
        error = error + flush * lost
    overflow = np.any(lossy, axis=-1, keepdims=True) | (
        size * (1 + extra * terms * device.unit(working)) >= working.max_finite
    )
    return settled(stored(error, y, out, working, device), y, overflow)


def q8_error(size: Float64, working: Format, device: DeviceErrors) -> Float64:
    """How far Q8_1 may move each element of |x|, (..., k), in blocks of 32 along k.

    With the block's step d = max|x| / 127 and u16 = 2^-11 of the fp16 in which d is stored:
    d / 2 for the nearest of 255 levels (either way at a tie), 3 u |x| for the quotient that is
    rounded to it, and u16 (|x| + d / 2), or 2^-25 a level where d is subnormal in fp16, for d.
    The block's sum, stored in fp16 for formats with a minimum, is off by no more. Infinite where d
    overflows fp16. Source: ggml's block_q8_1.
    """
    terms = size.shape[-1]
    padded = np.zeros((*size.shape[:-1], -(-terms // _Q8_BLOCK) * _Q8_BLOCK))
    padded[..., :terms] = size
    blocks = padded.reshape(*size.shape[:-1], -1, _Q8_BLOCK)
    step = np.max(blocks, axis=-1, keepdims=True, initial=0.0) / _Q8_LEVELS
    levels = np.divide(blocks, step, out=np.zeros_like(blocks), where=step > 0) + 0.5
    stored_step = FP16.unit_roundoff * (blocks + step / 2) + FP16.min_subnormal / 2 * levels
    error = step / 2 + 3 * device.unit(working) * blocks + np.where(step > 0, stored_step, 0.0)
    error = np.where(step > FP16.max_finite, np.inf, error)
    return error.reshape(padded.shape)[..., :terms]


@derived
def quantised_gemv(
    blocks: ArrayLike,
    kind: str,
    x: ArrayLike,
    *,
    factored: bool = False,
    activations: Activations = "as given",
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
        activations=activations,
        height=height,
        working=working,
        out=out,
        device=device,
    )
