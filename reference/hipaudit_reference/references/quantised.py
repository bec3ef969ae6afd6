"""Dequantisation, which a kernel must get right to the bit, and products with quantised weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet, require, require_rank
from hipaudit_reference.formats import FP32, Format, ggml, mx, round_to


def dequantise(blocks: ArrayLike, kind: str, out: Format = FP32) -> Float64:
    """The elements of a tensor of quantised blocks, flat, bit exact.

    blocks: uint8 of any shape, whole blocks in order; kind: a name of
    `formats.ggml.BLOCK_TYPES` or `CODEBOOK_TYPES`, or of `formats.mx.MX_KINDS`. The value is the
    fp32 one; a narrower `out` rounds it once more, to nearest. As float64, which holds fp32's
    infinities, NaN and both zeros. A NaN or infinite scale makes its elements NaN or infinite,
    as IEEE arithmetic has it.
    """
    if kind in mx.MX_KINDS:
        return round_to(round_to(mx.decode(blocks, kind), FP32), out)
    values = ggml.decode(blocks, kind).astype(np.float64)
    return values if out == FP32 else round_to(values, out)


@quiet
def quantised_gemm(blocks: ArrayLike, kind: str, x: ArrayLike) -> Float64:
    """Product with a quantised matrix: y = x W^T, W (n, k) of blocks along k.

    x (..., k); blocks: uint8, the n rows of W in order, k a multiple of the block's elements.
    Returns (..., n). W is the fp32 matrix that `dequantise` gives. Own error: 2^-53 k |x| |W|.
    """
    values, matrix = weights(blocks, kind, x)
    return np.asarray(values @ matrix.T)


def quantised_gemv(blocks: ArrayLike, kind: str, x: ArrayLike) -> Float64:
    """Quantised matrix times vector: y = W x, (k,) > (n,); see `quantised_gemm`."""
    return quantised_gemm(blocks, kind, x)


def weights(blocks: ArrayLike, kind: str, x: ArrayLike) -> tuple[Float64, Float64]:
    """Return x and the dequantised matrix (n, k), their sizes checked."""
    values = as_float64(x)
    require_rank(values, 1, "x")
    flat = dequantise(blocks, kind)
    width = values.shape[-1]
    require(
        width > 0 and flat.size % width == 0,
        f"blocks: {flat.size} elements are no rows of x's {width}",
    )
    return values, flat.reshape(-1, width)
