"""Bounds of softmax."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64
from hipaudit_reference.bounds.assembly import (
    accumulated,
    factor_roundings,
    settled,
    stored,
)
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import softmaxes as reference
from hipaudit_reference.references.softmaxes import MaskedRows
from hipaudit_reference.summation import Height


@derived
def softmax(
    x: ArrayLike,
    mask: ArrayLike | None = None,
    scale: float = 1.0,
    masked_rows: MaskedRows = "zero",
    *,
    height: Height = None,
    tiles: int = 1,
    folded_base: bool = False,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of softmax per element of (..., n).

    With d = max s - s and g the exact result:
    g_j (u d_j + u sum_i g_i d_i + 2 eps_exp + gamma_h + u) + underflow + storing,
    with another u for a kernel that multiplies by the reciprocal of the sum.

    A logit's own rounding u |s_j| joins u d_j when there is a scale. `tiles` is the number of
    tiles of an online softmax: each rescaling of the running sum adds u + eps_exp. `folded_base`
    says that the kernel computes exp2(x c - m c), c = log2 e: its products add u (|x| + |m|).
    A masked element is exactly 0; so is an all-masked row, or exactly NaN. No bound exceeds
    max(g, 1 - g) by more than roundings: whatever the logits, a right kernel stays in [0, 1].
    Source: Blanchard, Higham & Higham 2021, section 4.
    """
    g = reference.softmax(x, mask, scale, masked_rows)
    if not g.size:
        return np.zeros_like(g)
    logits = reference.scaled_logits(x, mask, scale)
    u, tiny = device.unit(working), device.underflow(working)
    depth = np.max(logits, axis=-1, keepdims=True) - logits
    weights = np.exp(-depth)
    total = np.sum(weights, axis=-1, keepdims=True)
    shift = logit_error(logits, scale, folded_base, device, working)
    slope = 1.0 if folded_base else 1.0 + device.exp_slope
    shift = np.where(logits == -np.inf, 0.0, shift + slope * u * depth)
    eps = (device.exp2 if folded_base else device.exp) * u
    change = np.where(logits == -np.inf, 0.0, np.exp(shift - depth) * (1 + eps) - weights)
    summed = accumulated(height, logits.shape[-1], working, device)
    rescaled = (tiles - 1) * (u + eps) + logits.shape[-1] * tiny
    sigma = np.sum(change, axis=-1, keepdims=True) / total + summed + rescaled
    sigma = sigma + device.quotient() * u
    error = np.where(sigma < 1, (change / total + g * sigma) / (1 - sigma), np.inf)
    error = np.minimum(error, np.maximum(g, 1 - g) * (1 + 8 * u) + 8 * u)
    error = error + 2 * max(device.exp, 1.0) * tiny
    error = stored(error, g, out, working, device)
    return settled(np.where(logits == -np.inf, 0.0, error), g)


def logit_error(
    logits: Float64,
    scale: float,
    folded_base: bool,
    device: DeviceErrors,
    working: Format,
) -> Float64:
    """Absolute error of each scaled logit before the maximum is taken off.

    Finite where the logits are not. An error common to a row cancels in a softmax, so the
    maximum's own rounding is not in it, except for a folded base in an online softmax.
    """
    u = device.unit(working)
    size = np.where(np.isfinite(logits), np.abs(logits), 0.0)
    error = factor_roundings(scale, working) * u * size
    if folded_base:
        error = error + u * (size + np.max(size, axis=-1, keepdims=True))
    return error + device.input_flush(working) * max(abs(scale), 1.0)
