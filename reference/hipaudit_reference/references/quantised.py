"""Dequantisation as a reference: what a kernel must produce to the bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64
from hipaudit_reference.formats import FP32, Format, ggml, round_to


def dequantise(blocks: ArrayLike, kind: str, out: Format = FP32) -> Float64:
    """The elements of a tensor of quantised blocks, flat, bit exact.

    blocks: uint8 of any shape, whole blocks in order; kind: a name of
    `formats.ggml.BLOCK_TYPES`. The value is the fp32 one; a narrower `out` rounds it once more,
    to nearest. As float64, which holds fp32's infinities, NaN and both zeros. A NaN or infinite
    scale makes its elements NaN or infinite, as IEEE arithmetic has it.
    """
    values = ggml.decode(blocks, kind).astype(np.float64)
    return values if out == FP32 else round_to(values, out)
