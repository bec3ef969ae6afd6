"""Bounds of reductions and scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format, round_to
from hipaudit_reference.references import sums as reference
from hipaudit_reference.references.sums import NanPolicy
from hipaudit_reference.summation import Compensated, Height, Serial, model


@derived
def reduce_sum(
    x: ArrayLike,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of a sum over the last axis, per element of (...), with S = sum |x|.

    (n - 1) u S in any order; gamma_h S with a tree; (2 u + 8 n u^2) S compensated: whatever the
    model of `height` says; with two-sums u |y| and a second-order term of S. ValueError for those
    on a truncating device, where no two-sum is exact. Sums do not underflow (a subnormal sum is
    exact) unless flushed.
    Not determined where S may overflow: then so may a partial sum.
    Source: Higham, sections 4.2 and 4.3; Higham 1993.
    """
    y = reference.reduce_sum(x)
    size = _sizes(x)
    total = np.sum(size, axis=-1)
    coefficient = accumulated(height, size.shape[-1], working, device)
    error = coefficient * total
    flushed = 2
    if isinstance(height, Compensated):
        error = _compensated(height, y, total, device.unit(working), device)
        flushed = 8  # a two-sum and what keeps its error
    error = error + flushed * size.shape[-1] * device.input_flush(working)
    overflow = total * (1 + coefficient) >= working.max_finite
    return settled(stored(error, y, out, working, device), y, overflow)


def _compensated(
    height: Compensated, y: Float64, total: Float64, u: float, device: DeviceErrors
) -> Float64:
    """Return u |y| and the second-order term of S; ValueError on a truncating device."""
    if device.truncates:
        msg = "the bound of two-sums does not hold for a truncating unit"
        raise ValueError(msg)
    return u * np.abs(y) + height.beyond_rounding(u) * total


@derived
def prefix_sum(
    x: ArrayLike,
    *,
    exclusive: bool = False,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of running sums, per element of (..., n), with S_k = |x_0| + ... + |x_k|.

    Serial (any order): k u S_k. A scan of height h: gamma_h S_k. A scan that takes an exclusive
    sum as inclusive minus x is not covered: it cancels.
    """
    y = reference.prefix_sum(x, exclusive=exclusive)
    size = _sizes(x)
    count = size.shape[-1]
    total = np.cumsum(size, axis=-1)
    if exclusive:
        total = total - size
    steps = np.maximum(np.arange(count, dtype=np.float64) - int(exclusive), 0.0)
    coefficient: Float64 | float = steps * device.unit(working)
    if not isinstance(model(height), Serial):
        coefficient = accumulated(height, count, working, device)
    error = coefficient * total + 2 * (steps + 2) * device.input_flush(working)
    overflow = total * (1 + coefficient) >= working.max_finite
    return settled(stored(error, y, out, working, device), y, overflow)


@derived
def reduce_max(
    x: ArrayLike,
    nan: NanPolicy = "propagate",
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """No error: a maximum is one of the elements, rounded only if stored in a narrower format.

    A device that reads subnormals as zero finds them all equal: where the maximum is one, any of
    the others may take its place, at a distance of less than twice the smallest normal number.
    """
    y = reference.reduce_max(x, nan)
    rounding = stored(np.zeros_like(y), y, out, working, device)
    flush = np.where(np.abs(y) < working.min_normal, 2 * device.input_flush(working), 0.0)
    error = np.where(round_to(y, out) == y, 0.0, rounding) + flush
    return settled(error, y)


def _sizes(x: ArrayLike) -> Float64:
    """|x|, with 0 for what is not finite: there the reference alone decides."""
    rows = as_float64(x)
    return np.where(np.isfinite(rows), np.abs(rows), 0.0)
