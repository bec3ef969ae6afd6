"""Kernels that move elements: embedding lookup and transposition."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_TILE = 32
_MOST_EDGE = checks.FEW_INDEX - _TILE


def launch_embedding(device: DeviceLike, table: Tensor, indices: Tensor, y: Tensor) -> None:
    """Launch y = the rows of *table* that *indices* (int32) name.

    table (rows, columns) float32, float16 or bfloat16, y (*indices.shape, columns) float32. The
    kernel cannot raise: an index outside the table makes its row of y NaN.
    """
    checks.floats(y=y)
    suffix = checks.suffix(table=table)
    checks.rank("table", table, 2)
    checks.dtype("indices", indices, np.int32)
    checks.aligned("indices", indices.address, 4)
    rows, columns = table.shape
    checks.shape("y", y, (*indices.shape, columns))
    checks.disjoint("table", table, "y", y)
    checks.disjoint("indices", indices, "y", y)
    if y.size == 0:
        return
    checks.within("rows", rows, 1, checks.FEW_INDEX - 1)
    checks.within("columns", columns, 1, MOST_COLUMNS)
    tokens = indices.size
    checks.blocks_for(f"embedding of {tokens} tokens", tokens * _THREADS, _THREADS)
    kernel = modules.kernel(device, "embedding.hip", f"embedding{suffix}")
    kernel.launch(tokens, _THREADS, packed(table, indices, y, rows, columns))


def embedding(device: DeviceLike, table: checks.Host, indices: checks.Host) -> checks.Host:
    """Rows of a host table in float32; ValueError for an index outside it."""
    checks.hosts(table=table)
    checks.host("indices", indices, np.int32)
    checks.rank("table", table, 2)
    outside = indices[(indices < 0) | (indices >= table.shape[0])]
    if outside.size:
        raise ValueError(f"index {outside[0]} lies outside a table of {table.shape[0]} rows")
    with Scope() as scope:
        result = scope.empty((*indices.shape, table.shape[1]), np.float32)
        launch_embedding(device, scope.upload(table), scope.upload(indices), result)
        return result.download()


def launch_transpose(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x transposed; float32 matrices, no overlap."""
    checks.floats(x=x, y=y)
    checks.rank("x", x, 2)
    m, n = x.shape
    checks.shape("y", y, (n, m))
    checks.disjoint("x", x, "y", y)
    if x.size == 0:
        return
    checks.within("m", m, 1, _MOST_EDGE)
    checks.within("n", n, 1, _MOST_EDGE)
    tiles = -(-m // _TILE) * -(-n // _TILE)
    checks.blocks_for(f"a transpose of {m} x {n}", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "transpose.hip", "transpose")
    kernel.launch(tiles, _THREADS, packed(x, y, m, n))


def transpose(device: DeviceLike, x: checks.Host) -> checks.Host:
    """The transpose of a float32 host matrix."""
    checks.host("x", x, np.float32)
    checks.rank("x", x, 2)
    with Scope() as scope:
        result = scope.empty((x.shape[1], x.shape[0]), np.float32)
        launch_transpose(device, scope.upload(x), result)
        return result.download()
