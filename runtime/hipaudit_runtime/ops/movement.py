"""Kernels that move elements: embedding lookup, transposition, strided copies."""

from __future__ import annotations

import math

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.elements import span
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Long, Size, packed
from hipaudit_runtime.ops.quantised import block_format, values_shape
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_TILE = 32
_COPIED_BITS = (8, 16, 32)
_MOST_AXES = 4
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
    checks.rank("table", table, 2)
    _inside(table, indices)
    with Scope() as scope:
        result = scope.empty((*indices.shape, table.shape[1]), np.float32)
        launch_embedding(device, scope.upload(table), scope.upload(indices), result)
        return result.download()


def _inside(table: checks.Host, indices: checks.Host) -> None:
    checks.host("indices", indices, np.int32)
    outside = indices[(indices < 0) | (indices >= table.shape[0])]
    if outside.size:
        raise ValueError(f"index {outside[0]} lies outside a table of {table.shape[0]} rows")


def launch_quantised_embedding(
    device: DeviceLike, kind: str, table: Tensor, indices: Tensor, y: Tensor
) -> None:
    """Launch y = the rows of a quantised *table* that *indices* (int32) name.

    table (rows, bytes of a row) uint8 in blocks of *kind*, y (*indices.shape, columns) float32. An
    index outside the table makes its row of y NaN, as `launch_embedding` has it.
    """
    entry = block_format(kind)
    checks.dtype("table", table, np.uint8)
    checks.rank("table", table, 2)
    checks.integers(indices=indices)
    checks.dtype("y", y, np.float32)
    rows, columns = values_shape(kind, table, "table")
    checks.shape("y", y, (*indices.shape, columns))
    checks.disjoint("table", table, "y", y)
    checks.disjoint("indices", indices, "y", y)
    if y.size == 0:
        return
    checks.aligned("table", table.address, entry.alignment)
    checks.aligned("y", y.address, 16)
    checks.within("rows", rows, 1, checks.FEW_INDEX - 1)
    checks.within("columns", columns, 1, MOST_COLUMNS)
    tokens = indices.size
    checks.blocks_for(f"embedding of {tokens} tokens", tokens * _THREADS, _THREADS)
    name = f"quantised_embedding_{entry.name}"
    kernel = modules.kernel(device, "quantised_embedding.hip", name)
    kernel.launch(tokens, _THREADS, packed(table, indices, y, rows, columns // entry.elements))


def quantised_embedding(
    device: DeviceLike, kind: str, table: checks.Host, indices: checks.Host
) -> checks.Host:
    """Rows of a host table of blocks in float32; ValueError for an index outside it."""
    checks.host("table", table, np.uint8)
    checks.rank("table", table, 2)
    _inside(table, indices)
    with Scope() as scope:
        shape = (*indices.shape, values_shape(kind, table, "table")[1])
        result = scope.empty(shape, np.float32)
        tensors = scope.upload(table), scope.upload(indices), result
        launch_quantised_embedding(device, kind, *tensors)
        return result.download()


def launch_transpose(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x with its last two axes exchanged; float32, float16 or bfloat16, no overlap."""
    suffix = "" if checks.stored("x", x) == "f32" else "_16"
    checks.dtype("y", y, x.dtype)
    checks.aligned("y", y.address, y.dtype.itemsize)
    if len(x.shape) < 2:
        raise ValueError(f"x has shape {x.shape}, not (..., m, n)")
    *others, m, n = x.shape
    checks.shape("y", y, (*others, n, m))
    checks.disjoint("x", x, "y", y)
    if x.size == 0:
        return
    batch = checks.within("batch", math.prod(others), 1, checks.MOST_BLOCKS_ACROSS)
    checks.within("m", m, 1, _MOST_EDGE)
    checks.within("n", n, 1, _MOST_EDGE)
    tiles = -(-m // _TILE) * -(-n // _TILE)
    checks.blocks_for(f"a transpose of {m} x {n}", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "transpose.hip", f"transpose{suffix}")
    kernel.launch((tiles, batch, 1), _THREADS, packed(x, y, m, n))


def transpose(device: DeviceLike, x: checks.Host) -> checks.Host:
    """A host array with its last two axes exchanged."""
    checks.hosts(x=x)
    if len(x.shape) < 2:
        raise ValueError(f"x has shape {x.shape}, not (..., m, n)")
    with Scope() as scope:
        result = scope.empty((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
        launch_transpose(device, scope.upload(x), result)
        return result.download()


def launch_copy_strided(
    device: DeviceLike, x: Tensor, y: Tensor, strides: tuple[int, ...], first: int = 0
) -> None:
    """Launch y = the view of x that begins at element *first* and has these strides, in elements.

    y (at most 4 axes) of x's dtype, whose elements are 8, 16 or 32 bits; a stride may be 0 or
    negative. Raises ValueError where the view leaves x or overlaps y.
    """
    bits = 8 * x.dtype.itemsize
    if bits not in _COPIED_BITS:
        raise TypeError(f"x is {x.dtype}: no kernel copies elements of {bits} bits")
    checks.dtype("y", y, x.dtype)
    if len(strides) != len(y.shape) or len(strides) > _MOST_AXES:
        raise ValueError(f"strides is {strides}, not one for each of at most 4 axes of {y.shape}")
    for name, tensor in (("x", x), ("y", y)):
        checks.aligned(name, tensor.address, x.dtype.itemsize)
    checks.disjoint("x", x, "y", y)
    if y.size == 0:
        return
    spans = [(size - 1) * stride for size, stride in zip(y.shape, strides, strict=True)]
    checks.within("first", first + sum(min(span, 0) for span in spans), 0, x.size - 1)
    checks.within("the view's last element", first + sum(max(s, 0) for s in spans), 0, x.size - 1)
    missing = _MOST_AXES - len(strides)
    shape = (*(1,) * missing, *y.shape)
    steps = (*(0,) * missing, *strides)
    grid = checks.blocks_for(f"copy_strided of {y.size} elements", y.size, _THREADS)
    view = Tensor(x.buffer, (), x.dtype, x.offset + first * x.dtype.itemsize)
    sizes = [Size(size) for size in (y.size, *shape[1:])]
    arguments = packed(view, y, *sizes, *(Long(step) for step in steps))
    kernel = modules.kernel(device, "copy_strided.hip", f"copy_strided_{bits}")
    kernel.launch(grid, _THREADS, arguments)


def launch_gather_view(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x, a view with strides of any kind; y of its shape and dtype, without gaps.

    At most 4 axes. Raises ValueError where y overlaps what x reaches.
    """
    checks.shape("y", y, x.shape)
    low, high = span(x.shape, x.strides)
    start = x.offset + low * x.dtype.itemsize
    whole = Tensor(x.buffer, (high - low,), x.dtype, start)
    launch_copy_strided(device, whole, y, x.strides, -low)


def launch_permute_axes(device: DeviceLike, x: Tensor, y: Tensor, axes: tuple[int, ...]) -> None:
    """Launch y = x with its axes in another order: y's axis i is x's axis axes[i]; at most 4."""
    if sorted(axes) != list(range(len(x.shape))):
        raise ValueError(f"axes is {axes}, no order of the axes of {x.shape}")
    checks.shape("y", y, tuple(x.shape[axis] for axis in axes))
    steps = [math.prod(x.shape[axis + 1 :]) for axis in range(len(x.shape))]
    launch_copy_strided(device, x, y, tuple(steps[axis] for axis in axes))


def permute_axes(device: DeviceLike, x: checks.Host, axes: tuple[int, ...]) -> checks.Host:
    """A host array with its axes in another order, as numpy.transpose gives it."""
    checks.host("x", x, x.dtype)
    if sorted(axes) != list(range(x.ndim)):
        raise ValueError(f"axes is {axes}, no order of the axes of {x.shape}")
    with Scope() as scope:
        result = scope.empty(tuple(x.shape[axis] for axis in axes), x.dtype)
        launch_permute_axes(device, scope.upload(x), result, axes)
        return result.download()


def copy_strided(
    device: DeviceLike, x: checks.Host, shape: tuple[int, ...], strides: tuple[int, ...], first: int
) -> checks.Host:
    """The view of a host array's elements that `launch_copy_strided` describes, copied."""
    checks.host("x", x, x.dtype)
    with Scope() as scope:
        result = scope.empty(shape, x.dtype)
        launch_copy_strided(device, scope.upload(x), result, strides, first)
        return result.download()
