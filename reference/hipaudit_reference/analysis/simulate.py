"""Summation orders carried out in a small format, along the last axis: (..., n) > (...).

What the models of `summation` promise can be seen on these; fp32 only, where NumPy rounds as the
device does.
"""

from __future__ import annotations

import numpy as np

from hipaudit_reference.arrays import Float32, quiet


@quiet
def serial(x: Float32) -> Float32:
    """One accumulator, left to right."""
    if x.shape[-1] == 0:
        return np.zeros(x.shape[:-1], dtype=np.float32)
    return np.asarray(np.cumsum(x, axis=-1, dtype=np.float32)[..., -1])


@quiet
def tree(x: Float32) -> Float32:
    """Neighbours added in a balanced tree of height ceil(log2 n), padded with zeros."""
    width = 1 << max(x.shape[-1] - 1, 0).bit_length()
    level = np.zeros((*x.shape[:-1], width), dtype=np.float32)
    level[..., : x.shape[-1]] = x
    while level.shape[-1] > 1:
        level = level[..., 0::2] + level[..., 1::2]
    return level[..., 0]


@quiet
def strided(x: Float32, lanes: int) -> Float32:
    """Each lane adds every lanes-th term serially, then the lanes in a tree."""
    steps = -(-x.shape[-1] // lanes)
    padded = np.zeros((*x.shape[:-1], steps * lanes), dtype=np.float32)
    padded[..., : x.shape[-1]] = x
    by_lane = np.swapaxes(padded.reshape(*x.shape[:-1], steps, lanes), -1, -2)
    return tree(serial(by_lane))


@quiet
def kahan(x: Float32) -> Float32:
    """Compensated summation, left to right."""
    total = np.zeros(x.shape[:-1], dtype=np.float32)
    lost = np.zeros_like(total)
    for i in range(x.shape[-1]):
        term = x[..., i] - lost
        moved = total + term
        lost = (moved - total) - term
        total = moved
    return total
