"""Kernels that move or convert elements: their results are exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, as_integers, require, require_rank
from hipaudit_reference.formats import Format, Overflow, Rounding, round_to


def convert(
    x: ArrayLike, to: Format, rounding: Rounding = "nearest", overflow: Overflow = "ieee"
) -> Float64:
    """Conversion of dtype: each element rounded once to `to` (see `formats.round_to`)."""
    return round_to(x, to, rounding, overflow)


def transpose(x: ArrayLike) -> Float64:
    """The last two axes exchanged: (..., m, n) > (..., n, m); exact."""
    matrix = as_float64(x)
    require_rank(matrix, 2, "x")
    return np.ascontiguousarray(np.swapaxes(matrix, -1, -2))


def embedding(table: ArrayLike, indices: ArrayLike) -> Float64:
    """Rows of a table: table (v, d), indices (...) integers in [0, v); returns (..., d).

    An index outside the table is a ValueError here; a kernel's policy for it belongs to its
    launcher.
    """
    rows = as_float64(table, "table")
    require(rows.ndim == 2, f"table: shape {rows.shape} is not (rows, columns)")
    chosen = as_integers(indices, "indices")
    outside = chosen[(chosen < 0) | (chosen >= rows.shape[0])]
    require(outside.size == 0, f"indices: {outside[:1]} lies outside a table of {rows.shape[0]}")
    return np.asarray(rows[chosen])


def kv_replicate(cache: ArrayLike, groups: int) -> Float64:
    """Keys or values copied for each query head of their group.

    (..., heads, tokens, d) > (..., heads * groups, tokens, d): head h goes to h * groups up to
    h * groups + groups - 1.
    """
    heads = as_float64(cache, "cache")
    require_rank(heads, 3, "cache")
    return np.repeat(heads, groups, axis=-3)
