"""Exact mixture of experts, one element at a time."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.matrices import gemm
from hipaudit_reference.exact.precision import Index, Real, dot, reals, total, working_precision
from hipaudit_reference.exact.softmaxes import softmax
from hipaudit_reference.references import experts as reference


def router(logits: ArrayLike, count: int, normalised: bool = True, *, at: Index) -> Real:
    """Element `at` of the first output of `router`: the weights."""
    _, order = reference.router(logits, count, normalised)
    row = at[:-1]
    with working_precision():
        chosen = [softmax(logits, at=(*row, int(j))) for j in order[row]]
        return chosen[at[-1]] / total(chosen) if normalised else chosen[at[-1]]


def grouped_gemm(x: ArrayLike, weights: ArrayLike, offsets: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `grouped_gemm`."""
    rows, matrices = as_float64(x), as_float64(weights, "weights")
    groups = reference.group_bounds(offsets, rows.shape[0], matrices.shape[0])
    expert = next(e for e, (i, j) in enumerate(groups) if i <= at[0] < j)
    return gemm(rows, matrices[expert], at=at)


def combine(y: ArrayLike, weights: ArrayLike, source: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `combine`."""
    shares = as_float64(weights, "weights")
    rows = reference.by_token(y, source, shares)
    with working_precision():
        return dot(reals(shares[at[0]]), reals(rows[at[0], :, at[1]]))
