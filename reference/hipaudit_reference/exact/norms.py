"""Exact norms, one element at a time."""

from __future__ import annotations

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import Index, Real, dot, real, reals, working_precision


def rms_norm(
    x: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-5, *, at: Index
) -> Real:
    """Element `at` of `rms_norm`, exactly rounded to 256 bits."""
    rows = as_float64(x)
    with working_precision():
        row = reals(rows[at[:-1]])
        radicand = dot(row, row) / len(row) + real(eps)
        return row[at[-1]] * _inverse_root(radicand) * _element(weight, at[-1], 1.0)


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
