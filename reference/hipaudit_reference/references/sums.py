"""Reductions and scans over the last axis, in float64."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, Integers, as_float64, quiet, require_rank

NanPolicy = Literal["propagate", "ignore"]


@quiet
def reduce_sum(x: ArrayLike) -> Float64:
    """Sum over the last axis: (..., n) > (...); 0 for n = 0.

    Non-finite: IEEE arithmetic, the same for every order: NaN with a NaN or with infinities of
    both signs, else the infinity. Own error: 2^-53 (log2 n + 8) sum |x| (pairwise summation,
    Higham 1993).
    """
    rows = _rows(x)
    return np.asarray(np.sum(np.ascontiguousarray(rows), axis=-1))


@quiet
def reduce_max(x: ArrayLike, nan: NanPolicy = "propagate") -> Float64:
    """Maximum over the last axis: (..., n) > (...); -inf for n = 0. Exact.

    nan "propagate": a NaN makes the result NaN (IEEE 754-2019 maximum); "ignore": it is passed
    over (maximumNumber, fmaxf), and -inf is left of a row of NaN alone.
    """
    rows = _rows(x)
    if nan == "ignore":
        rows = np.where(np.isnan(rows), -np.inf, rows)
    return np.asarray(np.max(rows, axis=-1, initial=-np.inf))


def argmax(x: ArrayLike) -> Integers:
    """Index of the largest element of the last axis: (..., n) > (...), n >= 1.

    Of equal ones the lowest index; -0 equals +0. A NaN counts as larger than everything: it must
    not go unseen.
    """
    rows = _rows(x)
    if rows.shape[-1] == 0:
        raise ValueError(f"x: argmax of an empty row, its shape is {rows.shape}")
    return np.asarray(np.argmax(rows, axis=-1), dtype=np.int64)


@quiet
def prefix_sum(x: ArrayLike, *, exclusive: bool = False) -> Float64:
    """Running sums along the last axis: y_k = x_0 + ... + x_k, or up to x_{k-1} if exclusive.

    (..., n) > (..., n). An infinity or NaN marks the elements from its own on, none before.
    Own error: summed in long double (2^-64 where the processor has it), 2^-53 |y| on return.
    """
    rows = _rows(x)
    sums = np.cumsum(rows, axis=-1, dtype=np.longdouble).astype(np.float64)
    if not exclusive or not rows.size:
        return sums
    return np.concatenate([np.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)


def _rows(x: ArrayLike) -> Float64:
    rows = as_float64(x)
    require_rank(rows, 1, "x")
    return rows
