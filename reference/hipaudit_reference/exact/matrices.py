"""Exact matrix products, one element at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import Index, Real, dot, real, reals, working_precision


def gemm(
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike | None = None,
    alpha: float = 1.0,
    beta: float = 0.0,
    *,
    at: Index,
) -> Real:
    """Element `at` of `gemm`, exactly rounded to 256 bits."""
    left, right = as_float64(a, "a"), as_float64(b, "b")
    row, column = at[-2], at[-1]
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*batch, *left.shape[-2:]))
    right = np.broadcast_to(right, (*batch, *right.shape[-2:]))
    with working_precision():
        product = dot(reals(left[at[:-2]][row]), reals(right[at[:-2]][:, column]))
        if beta == 0:
            return real(alpha) * product
        addend = np.broadcast_to(
            as_float64(0.0 if c is None else c, "c"), (*batch, left.shape[-2], right.shape[-1])
        )
        return real(alpha) * product + real(beta) * real(addend[at])


def gemv(a: ArrayLike, x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `gemv`, exactly rounded to 256 bits."""
    return gemm(a, as_float64(x)[..., None], at=(*at, 0))
