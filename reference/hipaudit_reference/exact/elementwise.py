"""Exact elementwise functions: arguments broadcast, one element at a time."""

from __future__ import annotations

import mpmath
import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import Index, Real, real, working_precision


def add(a: ArrayLike, b: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `add`."""
    with working_precision():
        left, right = _elements(at, a, b)
        return left + right


def scale(x: ArrayLike, factor: float, *, at: Index) -> Real:
    """Element `at` of `scale`."""
    with working_precision():
        return _elements(at, x)[0] * real(factor)


def silu(x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `silu`."""
    with working_precision():
        value = _elements(at, x)[0]
        return value * _sigmoid(value)


def swiglu(gate: ArrayLike, up: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `swiglu`."""
    with working_precision():
        g, factor = _elements(at, gate, up)
        return g * _sigmoid(g) * factor


def glu(value: ArrayLike, gate: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `glu`."""
    with working_precision():
        size, g = _elements(at, value, gate)
        return size * _sigmoid(g)


def gelu(x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `gelu`."""
    with working_precision():
        value = _elements(at, x)[0]
        return value * mpmath.erfc(-value / mpmath.sqrt(2)) / 2


def gelu_tanh(x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `gelu_tanh` (the constant is the decimal 0.044715 as a float64)."""
    with working_precision():
        value = _elements(at, x)[0]
        t = mpmath.sqrt(2 / mpmath.pi) * (value + real(0.044715) * value**3)
        return value * _sigmoid(2 * t)


def _sigmoid(value: Real) -> Real:
    """1 / (1 + exp(-x)), in the form that does not overflow; x sigmoid(x) is NaN at -inf."""
    if mpmath.isnan(value):
        return value
    if value >= 0:
        return 1 / (1 + mpmath.exp(-value))
    power = mpmath.exp(value)
    return power / (1 + power)


def _elements(at: Index, *arrays: ArrayLike) -> list[Real]:
    """One element of each of several arrays that broadcast."""
    broadcast = np.broadcast_arrays(*(as_float64(array) for array in arrays))
    return [real(float(array[at])) for array in broadcast]
