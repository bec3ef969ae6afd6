"""Exact norms, one element at a time."""

from __future__ import annotations

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import (
    Index,
    Real,
    dot,
    real,
    reals,
    total,
    working_precision,
)


def rms_norm(
    x: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5, *, at: Index
) -> Real:
    """Element `at` of `rms_norm`."""
    with working_precision():
        return normalised(reals(as_float64(x)[at[:-1]]), weight, eps, at[-1])


def residual_rms_norm(
    x: ArrayLike,
    residual: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    at: Index,
) -> Real:
    """Element `at` of the first output of `residual_rms_norm`."""
    with working_precision():
        left = reals(as_float64(x)[at[:-1]])
        right = reals(as_float64(residual, "residual")[at[:-1]])
        row = [a + b for a, b in zip(left, right, strict=True)]
        return normalised(row, weight, eps, at[-1])


def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
    *,
    at: Index,
) -> Real:
    """Element `at` of `layer_norm`."""
    with working_precision():
        row = reals(as_float64(x)[at[:-1]])
        mean = total(row) / len(row)
        centred = [value - mean for value in row]
        return normalised(centred, weight, eps, at[-1]) + _element(bias, at[-1], 0.0)


def normalised(row: list[Real], weight: ArrayLike | None, eps: float, index: int) -> Real:
    """One element of a row divided by its root mean square."""
    radicand = dot(row, row) / len(row) + real(eps)
    return row[index] * _inverse_root(radicand) * _element(weight, index, 1.0)


def _inverse_root(radicand: Real) -> Real:
    """1 / sqrt, with IEEE's values at 0 and infinity."""
    if radicand == 0:
        return mpmath.inf
    return mpmath.mpf(0) if radicand == mpmath.inf else 1 / mpmath.sqrt(radicand)


def _element(values: ArrayLike | None, index: int, default: float) -> Real:
    """One element of an optional vector."""
    if values is None:
        return real(default)
    array = as_float64(values)
    return real(float(array[index]) if array.ndim else float(array))
