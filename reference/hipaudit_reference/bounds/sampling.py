"""Bounds of the sampling steps that give numbers; the choices are judged by `acceptance`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_booleans, as_float64
from hipaudit_reference.bounds.assembly import accumulated, relative, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format, round_to
from hipaudit_reference.references import sampling as reference
from hipaudit_reference.summation import Height


def _argument(value: float, working: Format) -> float:
    """One more rounding for a scalar that the format does not hold."""
    return 0.0 if float(round_to(value, working)) == value else 1.0


@derived
def temperature(
    logits: ArrayLike,
    value: float,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of logits / T, by a division or by a product with 1 / T: 2 u |y|, 3 u if T rounds."""
    y = reference.temperature(logits, value)
    roundings = device.quotient() + _argument(value, working)
    error = relative(np.asarray(roundings * device.unit(working))) * np.abs(y)
    error = error + device.underflow(working) + device.input_flush(working) * (1 + 1 / value)
    return settled(stored(error, y, out, working, device), y)


@derived
def repetition_penalty(
    logits: ArrayLike,
    seen: ArrayLike,
    penalty: float,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of the penalised logits: as `temperature`; others are copied."""
    y = reference.repetition_penalty(logits, seen, penalty)
    roundings = device.quotient() + _argument(penalty, working)
    error = relative(np.asarray(roundings * device.unit(working))) * np.abs(y)
    flush = device.input_flush(working) * (1 + penalty + 1 / penalty)
    error = np.where(as_booleans(seen, "seen"), error + device.underflow(working) + flush, 0.0)
    return settled(stored(error, y, out, working, device), y)


@derived
def renormalise(
    probabilities: ArrayLike,
    kept: ArrayLike,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of p / sum of the kept p: |y| (gamma_h + u); 0 for tokens that are not kept.

    No error exceeds max(y, 1 - y) by more than those roundings: where a flushing device finds no
    mass in subnormals, or less, a share still lies in [0, 1].
    """
    y = reference.renormalise(probabilities, kept)
    p = as_float64(probabilities, "probabilities")
    if not p.size:
        return np.zeros_like(y)
    flags = as_booleans(kept, "kept")
    total = np.sum(np.where(flags, p, 0.0), axis=-1, keepdims=True)
    count, tiny = p.shape[-1], device.underflow(working)
    summed = accumulated(height, count, working, device)
    lost = np.where(total > 0, 2 * count * device.input_flush(working) / total, 0.0)
    quotient = device.quotient() * device.unit(working)
    rounded = np.asarray(summed + quotient)
    factors = relative(rounded + lost)
    flush = np.where(total > 0, device.input_flush(working) / total, 0.0)
    moved = np.where(y == 0, 0.0, y * factors)  # whatever the sum, of 0 it is none
    error = np.minimum(moved + flush, np.maximum(y, 1 - y) + relative(rounded)) + tiny
    error = np.where(flags & (total > 0), error, 0.0)
    return settled(stored(error, y, out, working, device), y)
