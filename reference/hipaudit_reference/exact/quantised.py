"""Exact products with quantised weights, one element at a time."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hipaudit_reference.exact.precision import Index, Real, dot, reals, working_precision
from hipaudit_reference.references import quantised as reference


def quantised_gemm(blocks: ArrayLike, kind: str, x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `quantised_gemm`."""
    values, matrix = reference.weights(blocks, kind, x)
    with working_precision():
        return dot(reals(values[at[:-1]]), reals(matrix[at[-1]]))


def quantised_gemv(blocks: ArrayLike, kind: str, x: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `quantised_gemv`."""
    return quantised_gemm(blocks, kind, x, at=at)
