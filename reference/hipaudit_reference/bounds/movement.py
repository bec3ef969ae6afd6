"""Bounds of kernels that move or convert elements: 0, but for what a device flushes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, quiet
from hipaudit_reference.bounds.assembly import settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, FP64, Format, Overflow, Rounding, round_to
from hipaudit_reference.references import movement as reference


@derived
def convert(
    x: ArrayLike,
    to: Format,
    rounding: Rounding = "nearest",
    overflow: Overflow = "ieee",
    *,
    device: DeviceErrors = AMD,
) -> Float64:
    """0: a conversion is correctly rounded, once; a flushing device may lose subnormals."""
    y = reference.convert(x, to, rounding, overflow)
    return np.where(np.abs(y) < to.min_normal, device.input_flush(to), 0.0)


@derived
def transpose(x: ArrayLike, *, out: Format = FP32, device: DeviceErrors = AMD) -> Float64:
    """0, or the rounding to a narrower output format."""
    return _moved(reference.transpose(x), out, device)


def embedding(
    table: ArrayLike, indices: ArrayLike, *, out: Format = FP32, device: DeviceErrors = AMD
) -> Float64:
    """0, or the rounding to a narrower output format."""
    return _moved(reference.embedding(table, indices), out, device)


@derived
def kv_replicate(
    cache: ArrayLike, groups: int, *, out: Format = FP32, device: DeviceErrors = AMD
) -> Float64:
    """0, or the rounding to a narrower output format."""
    return _moved(reference.kv_replicate(cache, groups), out, device)


@quiet
def _moved(y: Float64, out: Format, device: DeviceErrors) -> Float64:
    """Copies keep their bits, subnormals included; a rounding is the output format's."""
    exact = round_to(y, out) == y
    return settled(np.where(exact, 0.0, stored(np.zeros_like(y), y, out, FP64, device)), y)
