"""Products of groups of rows, each with a matrix of its own: the experts of a mixture."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks, quantised
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.experts import MOST_EXPERTS
from hipaudit_runtime.ops.gemv import ROWS, gemv_height
from hipaudit_runtime.ops.gemv import THREADS as GEMV_THREADS
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_TILE_ROWS, _TILE_COLUMNS = 16, 64
_FEW_ROWS = 8
_BLOCK_ROWS = 4


def by_vectors(rows: int, groups: int) -> bool:
    """Whether matrices stored by rows meet one row of x at a time: there are few a group."""
    return rows <= min(_FEW_ROWS * groups, checks.MOST_BLOCKS_ACROSS)


def grouped_height(rows: int, groups: int, k: int, *, transposed: bool) -> int:
    """Additions on the longest path of a sum of *k* products."""
    return gemv_height(k) if transposed and by_vectors(rows, groups) else k


def launch_grouped_gemm(
    device: DeviceLike,
    x: Tensor,
    weights: Tensor,
    offsets: Tensor,
    y: Tensor,
    *,
    transposed: bool = False,
) -> None:
    """Launch y = each group of x's rows times its matrix of *weights*.

    x (rows, k) and y (rows, n) float32; weights (groups, k, n) float32, float16 or bfloat16, or
    (groups, n, k) when *transposed*, as weights are stored. offsets (groups + 1,) int32, rising
    from 0 to at most the rows; the kernel trusts them.
    """
    suffix = checks.suffix(weights=weights)
    rows, groups = _check(x, weights, offsets, y)
    k, n = weights.shape[:0:-1] if transposed else weights.shape[1:]
    checks.shape("x", x, (rows, k))
    checks.shape("y", y, (rows, n))
    if y.size == 0:
        return
    for name, size in (("rows", rows), ("n", n), ("k", k)):
        checks.within(name, size, 0, checks.FEW_INDEX - 128)
    if transposed and by_vectors(rows, groups):
        across = -(-n // ROWS)
        checks.blocks_for(f"grouped_gemv of {n} rows", across * GEMV_THREADS, GEMV_THREADS)
        kernel = modules.kernel(device, "gemv.hip", f"grouped_gemv{suffix or '_f32'}")
        arguments = packed(weights, offsets, x, y, groups, n, k)
        kernel.launch((across, rows, 1), GEMV_THREADS, arguments)
        return
    tiles = min(rows, -(-rows // _TILE_ROWS) + groups) * -(-n // _TILE_COLUMNS)
    checks.blocks_for(f"a grouped product of {rows} x {n}", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "grouped_gemm.hip", f"grouped_gemm{suffix}")
    arguments = packed(x, weights, offsets, y, groups, n, k, int(transposed))
    kernel.launch(tiles, _THREADS, arguments)


def grouped_gemm(
    device: DeviceLike,
    x: checks.Host,
    weights: checks.Host,
    offsets: checks.Host,
    *,
    transposed: bool = False,
) -> checks.Host:
    """Each group of rows times its expert's matrix; offsets int32 rise from 0 to the rows."""
    checks.host("x", x, np.float32)
    checks.hosts(weights=weights)
    checks.rank("x", x, 2)
    checks.rank("weights", weights, 3)
    _check_offsets(offsets, x)
    with Scope() as scope:
        result = scope.empty((x.shape[0], weights.shape[1 if transposed else 2]), np.float32)
        parts = (scope.upload(x), scope.upload(weights), scope.upload(offsets))
        launch_grouped_gemm(device, *parts, result, transposed=transposed)
        return result.download()


def launch_quantised_grouped_gemm(
    device: DeviceLike, kind: str, blocks: Tensor, x: Tensor, offsets: Tensor, y: Tensor
) -> None:
    """Launch y = each group of x's rows times the transpose of its quantised matrix.

    blocks (groups, rows, bytes of a row) uint8 of *kind*; x (m, columns) and y (m, rows) float32;
    offsets as in `launch_grouped_gemm`.
    """
    entry = quantised.block_format(kind)
    checks.dtype("blocks", blocks, np.uint8)
    m, groups = _check(x, blocks, offsets, y)
    _, rows, columns = quantised.values_shape(kind, blocks)
    checks.shape("x", x, (m, columns))
    checks.shape("y", y, (m, rows))
    if y.size == 0:
        return
    checks.aligned("blocks", blocks.address, entry.alignment)
    lanes, grid = quantised.product_geometry(rows, columns)
    tiles = min(m, -(-m // _BLOCK_ROWS) + groups)
    checks.within("tiles of rows of x", tiles, 1, checks.MOST_BLOCKS_ACROSS)
    name = f"quantised_grouped_gemm_{entry.name}"
    kernel = modules.kernel(device, "quantised_grouped_gemm.hip", name)
    sizes = (groups, m, rows, columns // entry.elements, lanes)
    kernel.launch((grid, 1, tiles), quantised.THREADS, packed(blocks, offsets, x, y, *sizes))


def quantised_grouped_gemm(
    device: DeviceLike, kind: str, blocks: checks.Host, x: checks.Host, offsets: checks.Host
) -> checks.Host:
    """Each group of rows times the transpose of its expert's quantised matrix."""
    checks.host("blocks", blocks, np.uint8)
    checks.host("x", x, np.float32)
    checks.rank("blocks", blocks, 3)
    checks.rank("x", x, 2)
    _check_offsets(offsets, x)
    with Scope() as scope:
        result = scope.empty((x.shape[0], blocks.shape[1]), np.float32)
        parts = (scope.upload(blocks), scope.upload(x), scope.upload(offsets))
        launch_quantised_grouped_gemm(device, kind, *parts, result)
        return result.download()


def _check(x: Tensor, weights: Tensor, offsets: Tensor, y: Tensor) -> tuple[int, int]:
    """The rows and the groups of a product."""
    checks.floats(x=x, y=y)
    checks.integers(offsets=offsets)
    checks.rank("x", x, 2)
    checks.rank("weights", weights, 3)
    groups = checks.within("groups", weights.shape[0], 1, MOST_EXPERTS)
    checks.shape("offsets", offsets, (groups + 1,))
    for name, tensor in (("x", x), ("weights", weights), ("offsets", offsets)):
        checks.disjoint(name, tensor, "y", y)
    return x.shape[0], groups


def _check_offsets(offsets: checks.Host, x: checks.Host) -> None:
    checks.host("offsets", offsets, np.int32)
    edges = offsets.tolist()
    if edges[:1] != [0] or edges[-1:] != [x.shape[0]] or edges != sorted(edges):
        raise ValueError(f"offsets are {edges}, not rising from 0 to {x.shape[0]}")
