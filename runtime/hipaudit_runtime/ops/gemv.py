"""Products of a matrix, stored by rows in any of three formats, with one vector or a few."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

ROWS, THREADS = 16, 64
"""Of a block."""

_STEP = 128
_LANES = 16


def gemv_height(k: int) -> int:
    """Additions on the longest path of a sum of *k* products: a lane's, its halves, the lanes'."""
    return -(-k // _STEP) + 3 + _LANES - 1


def launch_gemv(device: DeviceLike, a: Tensor, x: Tensor, y: Tensor) -> None:
    """Launch y = x a^T: a (m, k), float32, float16 or bfloat16; x (..., k) and y (..., m) float32.

    At most 65,535 vectors; y overlaps neither a nor x.
    """
    kernel_name = f"gemv_{checks.stored('a', a)}"
    checks.floats(x=x, y=y)
    checks.rank("a", a, 2)
    m, k = a.shape
    vectors, columns = checks.rows_and_columns(x)
    checks.within("m", m, 0, checks.FEW_INDEX - ROWS)
    checks.within("k", k, 0, checks.FEW_INDEX - _STEP)
    if columns != k:
        raise ValueError(f"x has shape {x.shape}, not (..., {k}) as a's {a.shape} asks for")
    checks.shape("y", y, (*x.shape[:-1], m))
    checks.disjoint("a", a, "y", y)
    checks.disjoint("x", x, "y", y)
    if y.size == 0:
        return
    checks.within("vectors", vectors, 1, checks.MOST_BLOCKS_ACROSS)
    blocks = -(-m // ROWS)
    checks.blocks_for(f"gemv of {m} rows", blocks * THREADS, THREADS)
    kernel = modules.kernel(device, "gemv.hip", kernel_name)
    kernel.launch((blocks, vectors, 1), THREADS, packed(a, x, y, m, k))


def gemv(device: DeviceLike, a: checks.Host, x: checks.Host) -> checks.Host:
    """X a^T of host arrays: a (m, k) stored in float32, float16 or bfloat16, x (..., k) float32."""
    checks.host("a", a, a.dtype)
    checks.host("x", x, np.float32)
    checks.rank("a", a, 2)
    with Scope() as scope:
        result = scope.empty((*x.shape[:-1], a.shape[0]), np.float32)
        launch_gemv(device, scope.upload(a), scope.upload(x), result)
        return result.download()
