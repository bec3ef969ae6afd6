"""Bounds of dequantisation: none, it is exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64
from hipaudit_reference.bounds.device import EMULATED, DeviceErrors
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import quantised as reference


def dequantise(
    blocks: ArrayLike,
    kind: str,
    out: Format = FP32,
    *,
    device: DeviceErrors = EMULATED,
) -> Float64:
    """0 for every element: dequantisation is judged to the bit (see `formats.ggml`).

    A device that flushes subnormals may lose what lies below the smallest normal number.
    """
    values = reference.dequantise(blocks, kind, out)
    small = np.isfinite(values) & (np.abs(values) < out.min_normal)
    return np.where(small, device.input_flush(out), 0.0)
