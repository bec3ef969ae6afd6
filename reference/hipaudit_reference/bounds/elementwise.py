"""Bounds of elementwise functions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import factor_roundings, relative, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import elementwise as reference


@derived
def add(
    a: ArrayLike,
    b: ArrayLike,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of a + b: u |y|."""
    y = reference.add(a, b)
    error = device.unit(working) * np.abs(y) + 3 * device.input_flush(working)
    return settled(stored(error, y, out, working, device), y)


@derived
def scale(
    x: ArrayLike,
    factor: float,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of factor * x: u |y|, another u for a factor the format does not hold, none for 2^k."""
    y = reference.scale(x, factor)
    error = factor_roundings(factor, working) * device.unit(working) * np.abs(y)
    error = error + device.underflow(working) + abs(factor) * device.input_flush(working)
    return settled(stored(error, y, out, working, device), y)


@derived
def silu(
    x: ArrayLike,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of x / (1 + exp(-x)): |y| ((u |x| + eps_exp) (1 - sigma(x)) + 3 u).

    u |x| is for an exp by exp2(x log2 e). Where exp(-x) may overflow, or its reciprocal be
    subnormal, the result may be 0 instead.
    """
    y = reference.silu(x)
    gate = as_float64(x)
    error = _gated_error(gate, np.abs(gate), 3, working, device)
    return settled(stored(error, y, out, working, device), y)


@derived
def swiglu(
    gate: ArrayLike,
    up: ArrayLike,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of silu(gate) * up: |y| ((u |g| + eps_exp) (1 - sigma(g)) + 4 u)."""
    y = reference.swiglu(gate, up)
    g, factor = as_float64(gate, "gate"), np.abs(as_float64(up, "up"))
    error = _gated_error(g, np.abs(g) * factor, 4, working, device)
    # silu itself may underflow before the product.
    lost = device.underflow(working) * factor + device.input_flush(working) * (factor + np.abs(g))
    return settled(stored(error + lost, y, out, working, device), y)


@derived
def glu(
    value: ArrayLike,
    gate: ArrayLike,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of value * sigmoid(gate): |y| ((u |g| + eps_exp) (1 - sigma(g)) + 3 u)."""
    y = reference.glu(value, gate)
    size = np.abs(as_float64(value, "value"))
    error = _gated_error(as_float64(gate, "gate"), size, 3, working, device)
    return settled(stored(error, y, out, working, device), y)


def _gated_error(
    gate: Float64, size: Float64, roundings: int, working: Format, device: DeviceErrors
) -> Float64:
    """Error of size * sigmoid(gate), size exact."""
    u, tiny = device.unit(working), device.underflow(working)
    power = np.exp(-gate)
    share = np.where(power == np.inf, 1.0, power / (1 + power))
    depth = np.where(np.isfinite(gate), np.abs(gate), 0.0)
    argument = (max(1.0, device.exp_slope) * depth + device.exp) * u * share
    factors = relative(argument + (roundings - 1 + max(device.divide, device.reciprocal)) * u)
    value = size / (1 + power)
    error = np.where(value == 0, 0.0, value * factors) + (size + 1) * tiny * 2
    # exp(-x) overflows below x = -88.7 in fp32, where x sigma(x) is still a normal number.
    vanishes = power * (1 + relative(argument)) >= working.max_finite
    return np.where(vanishes, np.maximum(error, value + tiny), error)


@derived
def gelu(
    x: ArrayLike,
    *,
    complement: bool = False,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of x (1 + erf z) / 2, z = x / sqrt 2.

    |x| / 2 (eps_erf |erf z| + 2 u |z| erf'(z) + u |1 + erf z|) + u |y|: absolute for negative x,
    where 1 + erf cancels. `complement`: the kernel computes x erfc(-z) / 2, whose error stays
    relative: |y| (eps_erfc + u) + |x| u |z| erf'(z).
    """
    y = reference.gelu(x)
    values = as_float64(x)
    size = np.abs(values)
    u, tiny = device.unit(working), device.underflow(working)
    z = size * math.sqrt(0.5)
    moved = 2 * u * z
    # Over [z - moved, z + moved] the derivative is largest at the near end.
    slope = 2 / math.sqrt(math.pi) * np.exp(-(np.maximum(z - moved, 0.0) ** 2))
    if complement:
        one_plus = reference.erfc(-values * math.sqrt(0.5))
        inner = device.erfc * (u * one_plus + tiny) + moved * slope
    else:
        one_plus = 1 + reference.erf(values * math.sqrt(0.5))
        inner = device.erf * (u * np.minimum(1.0, 2 * z) + tiny) + moved * slope + u * one_plus
    error = np.where(size == np.inf, 0.0, 0.5 * size * inner * (1 + 3 * u))
    error = error + 2 * u * np.abs(y) + (2 + size) * tiny
    return settled(stored(error, y, out, working, device), y)


@derived
def gelu_tanh(
    x: ArrayLike,
    *,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of x (1 + tanh t) / 2, t = sqrt(2 / pi) (x + 0.044715 x^3).

    t's terms have one sign, so it is off by at most dt = gamma_8 |t|; then
    |x| / 2 (dt / cosh^2 t + eps_tanh |tanh t| + u |1 + tanh t|) + 2 u |y|.
    """
    y = reference.gelu_tanh(x)
    values = as_float64(x)
    size = np.abs(values)
    u, tiny = device.unit(working), device.underflow(working)
    t = np.abs(reference.gelu_argument(values))
    moved = 8 * u * t / (1 - 8 * u)
    slope = 1 / np.cosh(np.maximum(t - moved, 0.0)) ** 2
    spread = np.where(slope == 0, 0.0, moved * slope)
    inner = spread + device.tanh * (u * np.tanh(t) + tiny)
    inner = inner + u * (1 + np.tanh(np.copysign(t, values)))
    error = np.where(size == np.inf, 0.0, 0.5 * size * inner * (1 + 3 * u))
    error = error + 2 * u * np.abs(y) + (2 + size) * 2 * tiny
    return settled(stored(error, y, out, working, device), y)
