"""Matrix products in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet, require, require_rank


@quiet
def gemm(
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike | None = None,
    alpha: float = 1.0,
    beta: float = 0.0,
) -> Float64:
    """General matrix product: alpha A B + beta C.

    a (..., m, k), b (..., k, n), c (..., m, n); leading axes broadcast (batched). Returns
    (..., m, n); k = 0 gives beta C. With beta = 0, C is not read: a NaN in it does not appear
    (BLAS; rocm-libraries 9055). alpha = 0 is no such case: A and B are read.
    Non-finite elements follow IEEE arithmetic: a row of A with Inf meets a column with 0 in NaN.
    Own error: 2^-53 k |alpha| |A| |B|.
    """
    left, right = operands(a, b)
    product: Float64 = np.matmul(left, right)
    result = np.asarray(alpha * product if alpha != 1 else product)
    if beta == 0:
        return result
    if c is None:
        msg = f"c: needed, since beta is {beta}"
        raise ValueError(msg)
    addend = as_float64(c, "c")
    require(
        addend.shape[-2:] == product.shape[-2:],
        f"c: shape {addend.shape} does not fit the product's {product.shape}",
    )
    return np.asarray(result + beta * addend)


def gemv(a: ArrayLike, x: ArrayLike) -> Float64:
    """Matrix times vector: y = A x.

    a (..., m, k), x (..., k); returns (..., m). Own error: 2^-53 k |A| |x|.
    """
    vector = as_float64(x)
    require_rank(vector, 1, "x")
    return np.asarray(gemm(a, vector[..., None])[..., 0])


def operands(a: ArrayLike, b: ArrayLike) -> tuple[Float64, Float64]:
    """Both operands as float64, their inner sizes checked."""
    left, right = as_float64(a, "a"), as_float64(b, "b")
    require_rank(left, 2, "a")
    require_rank(right, 2, "b")
    require(
        left.shape[-1] == right.shape[-2],
        f"a {left.shape} and b {right.shape}: inner sizes {left.shape[-1]} and {right.shape[-2]}",
    )
    return left, right
