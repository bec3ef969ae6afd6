"""Sums, maxima and running sums along the last axis."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS, row_geometry
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
TILE = 8192
"""Columns of a tile, where many blocks share a row."""


def launch_sum_serial(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = sum of x's rows, each by one thread in order; float32, at least one column."""
    rows, columns = _check_reduction(x, y)
    if rows == 0:
        return
    checks.within("columns", columns, 1, MOST_COLUMNS)
    checks.within("rows", rows, 1, checks.FEW_INDEX - 1)
    grid = checks.blocks_for(f"sum_serial of {rows} rows", rows, _THREADS)
    kernel = modules.kernel(device, "sum_serial.hip", "sum_serial")
    kernel.launch(grid, _THREADS, packed(x, y, rows, columns))


def launch_sum_tree(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = sum of x's rows, each by a block's tree; float32, at least one column."""
    _launch_reduction(device, "sum_tree", x, y)


def launch_sum_compensated(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = sum of x's rows with compensation; float32, at least one column."""
    _launch_reduction(device, "sum_compensated", x, y)


def launch_row_max(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = maximum of x's rows, NaN where there is one; float32, at least one column."""
    _launch_reduction(device, "row_max", x, y)


def launch_prefix_sum(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = running sums of x's rows; float32, equal shapes; y may be x."""
    checks.floats(x=x, y=y)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    rows, columns = checks.rows_and_columns(x)
    if x.size == 0:
        return
    block = row_geometry("prefix_sum", rows, columns)
    kernel = modules.kernel(device, "prefix_sum.hip", "prefix_sum")
    kernel.launch(rows, block, packed(x, y, columns))


def long_tiles(columns: int) -> int:
    """Tiles of a long row: the columns of the scratch that the long forms need."""
    return -(-columns // TILE)


def launch_prefix_sum_long(device: DeviceLike, x: Tensor, y: Tensor, totals: Tensor) -> None:
    """Launch y = running sums of x's rows, each by many blocks; y may be x.

    totals (rows, `long_tiles` of the columns) is scratch; float32.
    """
    checks.floats(x=x, y=y, totals=totals)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    checks.disjoint("y", y, "totals", totals)
    if x.size == 0:
        return
    _launch_totals(device, x, totals)
    launch_prefix_sum(device, totals, totals)
    rows, columns = checks.rows_and_columns(x)
    kernel = modules.kernel(device, "prefix_sum.hip", "prefix_sum_tiles")
    blocks, block = rows * long_tiles(columns), row_geometry("a tile", 1, TILE)
    kernel.launch(blocks, block, packed(x, totals, y, columns, TILE))


def launch_sum_long(device: DeviceLike, x: Tensor, y: Tensor, totals: Tensor) -> None:
    """Launch y = sum of x's rows, each by many blocks; *totals* as `launch_prefix_sum_long`."""
    rows, columns = _check_reduction(x, y)
    checks.floats(totals=totals)
    checks.disjoint("y", y, "totals", totals)
    if rows and columns:
        _launch_totals(device, x, totals)
        launch_sum_tree(device, totals, y)


def _launch_totals(device: DeviceLike, x: Tensor, totals: Tensor) -> None:
    """Launch totals = the sums of x's tiles."""
    rows, columns = checks.rows_and_columns(x)
    checks.within("columns", columns, 1, MOST_COLUMNS)
    tiles = long_tiles(columns)
    checks.shape("totals", totals, (rows, tiles))
    checks.disjoint("x", x, "totals", totals)
    block = row_geometry("tile_totals", rows * tiles, TILE)
    kernel = modules.kernel(device, "prefix_sum.hip", "tile_totals")
    kernel.launch(rows * tiles, block, packed(x, totals, columns, TILE))


def sum_serial(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Sums of a float32 host array's last axis, one thread a row."""
    return _reduced(device, launch_sum_serial, x)


def sum_tree(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Sums of a float32 host array's last axis, one block a row."""
    return _reduced(device, launch_sum_tree, x)


def sum_compensated(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Compensated sums of a float32 host array's last axis."""
    return _reduced(device, launch_sum_compensated, x)


def row_max(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Maxima of a float32 host array's last axis; NaN where there is one."""
    return _reduced(device, launch_row_max, x)


def prefix_sum(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Running sums of a float32 host array along its last axis."""
    checks.host("x", x, np.float32)
    with Scope() as scope:
        result = scope.empty(x.shape, np.float32)
        launch_prefix_sum(device, scope.upload(x), result)
        return result.download()


def prefix_sum_long(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Running sums of a float32 host matrix of long rows, each by many blocks."""
    checks.host("x", x, np.float32)
    checks.rank("x", x, 2)
    with Scope() as scope:
        result = scope.empty(x.shape, np.float32)
        totals = scope.empty((x.shape[0], long_tiles(x.shape[1])), np.float32)
        launch_prefix_sum_long(device, scope.upload(x), result, totals)
        return result.download()


def sum_long(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Sums of a float32 host matrix's long rows, each by many blocks."""
    checks.host("x", x, np.float32)
    checks.rank("x", x, 2)
    with Scope() as scope:
        result = scope.empty(x.shape[:1], np.float32)
        totals = scope.empty((x.shape[0], long_tiles(x.shape[1])), np.float32)
        launch_sum_long(device, scope.upload(x), result, totals)
        return result.download()


class _Launcher(Protocol):
    def __call__(self, device: DeviceLike, x: Tensor, y: Tensor) -> None:
        """Launch a reduction of x's rows."""


def _reduced(device: DeviceLike, launch: _Launcher, x: checks.Host) -> checks.Host:
    checks.host("x", x, np.float32)
    with Scope() as scope:
        result = scope.empty(x.shape[:-1], np.float32)
        launch(device, scope.upload(x), result)
        return result.download()


def _check_reduction(x: Tensor, y: Tensor) -> tuple[int, int]:
    checks.floats(x=x, y=y)
    rows, columns = checks.rows_and_columns(x)
    checks.shape("y", y, x.shape[:-1])
    checks.disjoint("x", x, "y", y)
    if rows and not columns:
        raise ValueError(f"x has shape {x.shape}: rows without elements have no reduction here")
    return rows, columns


def _launch_reduction(device: DeviceLike, name: str, x: Tensor, y: Tensor) -> None:
    rows, columns = _check_reduction(x, y)
    if rows == 0:
        return
    block = row_geometry(name, rows, columns)
    kernel = modules.kernel(device, f"{name}.hip", name)
    kernel.launch(rows, block, packed(x, y, columns))
