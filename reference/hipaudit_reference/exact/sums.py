"""Exact sums."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import Index, Real, reals, total, working_precision


def reduce_sum(x: ArrayLike, *, at: Index = ()) -> Real:
    """Element `at` of `reduce_sum`."""
    row = as_float64(x)[at]
    with working_precision():
        return total(reals(row[row != 0]))  # a zero adds nothing, and costs as much as a term


def prefix_sum(x: ArrayLike, *, exclusive: bool = False, at: Index) -> Real:
    """Element `at` of `prefix_sum`."""
    last = at[-1] if exclusive else at[-1] + 1
    with working_precision():
        return total(reals(as_float64(x)[at[:-1]][:last]))
