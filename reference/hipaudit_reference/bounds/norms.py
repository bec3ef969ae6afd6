"""Bounds of the norms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet
from hipaudit_reference.bounds.assembly import accumulated, relative, settled, stored
from hipaudit_reference.bounds.device import EMULATED, DeviceErrors
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import norms as reference
from hipaudit_reference.summation import Height


@quiet
def rms_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = EMULATED,
) -> Float64:
    """Error of (x r) weight, r = 1 / sqrt(mean(x^2) + eps), per element of (..., n).

    The sum of squares has relative error gamma_{h+3} (a product, h additions, a division, the
    addition of eps); the root halves it. Then rsqrt, two products and storing:
    |y| (gamma_{h+3} / 2 + eps_rsqrt + 2 u + u_out) and underflow. Not determined where the sum
    of squares may overflow the working format.
    Source: Higham, sections 3.1 and 4.2.
    """
    y = reference.rms_norm(x, weight, eps)
    rows = as_float64(x)
    if not rows.size:
        return np.zeros_like(y)
    u, tiny = device.unit(working), device.underflow(working)
    flush = device.input_flush(working)
    squares = np.sum(rows * rows, axis=-1, keepdims=True)
    count = rows.shape[-1]
    radicand = squares / count + eps
    summed = accumulated(height, count, working, device, extra=3)
    # Each square may underflow, and reading a flushed x loses one as well.
    absolute = 2 * tiny + flush * flush
    theta = summed + absolute / radicand
    root = np.where(theta < 1, 1 / np.sqrt(1 - theta) - 1, np.inf)
    scale = np.abs(as_float64(1.0 if weight is None else weight, "weight"))
    factors = relative(root + device.inverse_root() * u + 2 * u)
    inverse = 1 / np.sqrt(radicand)
    error = np.abs(y) * factors + tiny * (1 + scale)
    error = error + flush * (scale + np.abs(rows)) * inverse * (1 + factors)
    overflow = squares * (1 + summed) >= working.max_finite
    return settled(stored(error, y, out, working, device), y, overflow)
