"""Choices among rounded numbers: where several are right, each of them counts as the reference's.

A token or an expert is chosen by comparison; near a tie no tolerance on an index says which is
right. `hipaudit_reference.acceptance` does, row by row: rows whose choice it accepts are given the
reference's own choice, so that an exact comparison judges the others.
"""

from __future__ import annotations

import numpy as np

from hipaudit.spec import Array


def settled(chosen: Array, expected: Array, excess: Array) -> Array:
    """*chosen*, with the expected choice in the rows where the excess is 0."""
    accepted = (excess <= 0).reshape(-1, *(1,) * (chosen.ndim - 1))
    return np.where(accepted, expected, chosen).astype(chosen.dtype)
