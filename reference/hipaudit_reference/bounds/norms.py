"""Bounds of the norms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Booleans, Float64, as_float64, quiet
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import norms as reference
from hipaudit_reference.summation import Height


@derived
def rms_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of (x r) weight, r = 1 / sqrt(mean(x^2) + eps), per element of (..., n).

    The sum of squares has relative error gamma_{h+3} (a product, h additions, a division, the
    addition of eps); the root halves it. Then rsqrt, two products and storing:
    |y| (gamma_{h+3} / 2 + eps_rsqrt + 2 u + u_out) and underflow. Not determined where the sum
    of squares may overflow the working format.
    Source: Higham, sections 3.1 and 4.2.
    """
    y = reference.rms_norm(x, weight, eps)
    error, overflow = rms_error(as_float64(x), weight, eps, 0.0, height, working, device)
    return settled(stored(error, y, out, working, device), y, overflow)


def _root_error(theta: Float64, radicand: Float64, least: float) -> Float64:
    """How much 1 / sqrt grows when its argument is off by theta, and never below `least`."""
    return np.sqrt(radicand / np.maximum(radicand * (1 - theta), least)) - 1


def _factors(root: Float64, roundings: float) -> Float64:
    """The root's error and a few roundings, composed without a limit on the root's."""
    return (1 + root) * (1 + roundings / (1 - roundings)) - 1


@quiet
def rms_error(
    rows: Float64,
    weight: ArrayLike | None,
    eps: float,
    input_error: Float64 | float,
    height: Height,
    working: Format,
    device: DeviceErrors,
) -> tuple[Float64, Booleans]:
    """Error of an RMSNorm in the working format whose rows carry an error of their own.

    Returns it with the rows (booleans, (..., 1)) whose sum of squares may overflow.
    """
    if not rows.size:
        return np.zeros_like(rows), np.zeros((*rows.shape[:-1], 1), dtype=np.bool_)
    u, tiny = device.unit(working), device.underflow(working)
    size, count = np.abs(rows), rows.shape[-1]
    # A subnormal x may be read as 0.
    moved = np.broadcast_to(input_error + device.input_flush(working), rows.shape)
    squares = np.sum(size * size, axis=-1, keepdims=True)
    drift = np.sum(moved * (2 * size + moved), axis=-1, keepdims=True)
    radicand = squares / count + eps
    summed = accumulated(height, count, working, device, extra=3)
    theta = summed * (1 + drift / count / radicand) + (drift / count + 2 * tiny) / radicand
    root = _root_error(theta, radicand, eps * (1 - 3 * u))
    scale = np.abs(as_float64(1.0 if weight is None else weight, "weight"))
    factors = _factors(root, (device.inverse_root() + 2) * u)
    inverse = 1 / np.sqrt(radicand)
    flush = device.input_flush(working)
    error = size * inverse * scale * factors + tiny * (1 + scale)
    error = error + (moved * scale + flush * size) * inverse * (1 + factors)
    return error, (squares + drift) * (1 + summed) >= working.max_finite


@derived
def residual_rms_norm(
    x: ArrayLike,
    residual: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    from_stored: bool = False,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> tuple[Float64, Float64]:
    """Errors of (y, s): u |s| for the sum and storing it; y as `rms_norm` of a sum so wrong.

    `from_stored`: the norm reads the sum back from the output format.
    """
    y, total = reference.residual_rms_norm(x, residual, weight, eps)
    added = device.unit(working) * np.abs(total) + 2 * device.input_flush(working)
    kept = stored(added, total, out, working, device)
    carried = kept if from_stored else added
    error, overflow = rms_error(total, weight, eps, carried, height, working, device)
    if from_stored:
        beyond = np.abs(total) + kept > out.max_finite
        overflow = overflow | np.any(beyond, axis=-1, keepdims=True)
    normed = settled(stored(error, y, out, working, device), y, overflow)
    return normed, settled(kept, total)


@derived
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    one_pass: bool = False,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of (x - mean) r weight + bias, r = 1 / sqrt(var + eps), per element of (..., n).

    With A the mean of |x| and c = x - mean: the mean is off by dm = gamma_{h+1} A, c by
    dm + u |c|, and the variance by dm^2 (the shift is common: it meets sum c = 0), 2 u var and
    gamma_{h+3}. Then as for RMSNorm, with dm r |weight| on top. `one_pass`: the variance is
    E x^2 - mean^2, which is off by gamma_{h+2} E x^2 + 2 |mean| dm: cancellation shows.
    Not determined where sums may overflow. Source: Higham, sections 1.9 and 3.1.
    """
    y = reference.layer_norm(x, weight, bias, eps)
    rows = as_float64(x)
    if not rows.size:
        return np.zeros_like(y)
    u, tiny = device.unit(working), device.underflow(working)
    flush, count = device.input_flush(working), rows.shape[-1]
    size = np.abs(rows)
    mean = np.mean(rows, axis=-1, keepdims=True)
    centred = rows - mean
    variance = np.mean(centred * centred, axis=-1, keepdims=True)
    average = np.mean(size, axis=-1, keepdims=True)
    summed = accumulated(height, count, working, device, extra=1)
    shift = summed * average + 2 * flush + tiny
    squared = accumulated(height, count, working, device, extra=3)
    if one_pass:
        second = np.mean(rows * rows, axis=-1, keepdims=True)
        drift = squared * second + shift * (2 * np.abs(mean) + shift) + 2 * u * (second + mean**2)
    else:
        drift = 2 * shift * (shift + u * np.mean(np.abs(centred), axis=-1, keepdims=True))
        drift = drift + 4 * u * variance + squared * (variance + drift)
    radicand = variance + eps
    theta = (drift + 2 * tiny + 2 * flush * average) / radicand + u
    root = _root_error(theta, radicand, 0.0 if one_pass else eps * (1 - 3 * u))
    factors = _factors(root, (device.inverse_root() + 3) * u)
    scale = np.abs(as_float64(1.0 if weight is None else weight, "weight"))
    inverse = 1 / np.sqrt(radicand)
    error = (np.abs(centred) * factors + (shift + flush) * (1 + factors)) * inverse * scale
    error = error + flush * (np.abs(centred) * inverse + 1) + tiny * (2 + scale)
    error = error + u * (np.abs(y) + error)
    largest = np.sum(size * size, axis=-1, keepdims=True) * (1 + squared) + count * shift**2
    return settled(stored(error, y, out, working, device), y, largest >= working.max_finite)
