"""Quantised blocks: dequantisation, exact in every bit, and products with quantised matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

THREADS = 256
"""Threads of a block."""

_VALUES_A_THREAD = 4
_UNIT = 32
_UNITS_A_LANE = 8
_MOST_LANES = 64
_MOST_COLUMNS = 1 << 30
_MOST_ROWS = checks.FEW_INDEX - THREADS
_ROWS_AT_ONCE = 4
_MOST_GRID_Y = 65535


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """A format of quantised blocks.

    name         as the entry points end: ``dequantise_NAME``, ``quantised_gemv_NAME``
    block_bytes  bytes a block
    elements     values a block
    """

    name: str
    block_bytes: int
    elements: int

    @property
    def alignment(self) -> int:
        """Bytes that a block's address is a multiple of: 2 where a block has fp16 fields."""
        return 1 if self.name.startswith("mx") else 2


FORMATS = {
    "Q4_0": BlockFormat("q4_0", 18, 32),
    "Q4_1": BlockFormat("q4_1", 20, 32),
    "Q5_0": BlockFormat("q5_0", 22, 32),
    "Q5_1": BlockFormat("q5_1", 24, 32),
    "Q8_0": BlockFormat("q8_0", 34, 32),
    "Q2_K": BlockFormat("q2_k", 84, 256),
    "Q3_K": BlockFormat("q3_k", 110, 256),
    "Q4_K": BlockFormat("q4_k", 144, 256),
    "Q5_K": BlockFormat("q5_k", 176, 256),
    "Q6_K": BlockFormat("q6_k", 210, 256),
    "MXFP4": BlockFormat("mxfp4", 17, 32),
    "MXFP4_E2M1": BlockFormat("mxfp4_e2m1", 17, 32),
    "MXFP6_E2M3": BlockFormat("mxfp6_e2m3", 25, 32),
    "MXFP6_E3M2": BlockFormat("mxfp6_e3m2", 25, 32),
    "MXFP8_E4M3": BlockFormat("mxfp8_e4m3", 33, 32),
    "MXFP8_E5M2": BlockFormat("mxfp8_e5m2", 33, 32),
}
"""By GGML's name, MXFP4 among them; the names with an element format are OCP MX."""


def block_format(kind: str) -> BlockFormat:
    """The format of a name; ValueError that lists the names otherwise."""
    if kind not in FORMATS:
        raise ValueError(f"no kernel for the format {kind}; there are {', '.join(FORMATS)}")
    return FORMATS[kind]


def launch_dequantise(device: DeviceLike, kind: str, blocks: Tensor, values: Tensor) -> None:
    """Launch the dequantisation of *blocks* (uint8) to *values* (float32).

    The last axis of blocks holds whole blocks' bytes, that of values their elements; the other
    axes are equal. Raises ValueError for a format that is not in `FORMATS`.
    """
    entry = block_format(kind)
    checks.dtype("blocks", blocks, np.uint8)
    checks.dtype("values", values, np.float32)
    checks.shape("values", values, values_shape(kind, blocks))
    checks.disjoint("blocks", blocks, "values", values)
    if values.size == 0:
        return
    checks.aligned("blocks", blocks.address, entry.alignment)
    checks.aligned("values", values.address, 16)
    count = checks.within("block count", values.size // entry.elements, 1, checks.FEW_INDEX - 1)
    grid = checks.blocks_for(f"{count} {kind} blocks", values.size // _VALUES_A_THREAD, THREADS)
    kernel = modules.kernel(device, "dequantise.hip", f"dequantise_{entry.name}")
    kernel.launch(grid, THREADS, packed(blocks, values, count))


def dequantise(device: DeviceLike, kind: str, blocks: checks.Host) -> checks.Host:
    """The float32 values of a uint8 host array of blocks, rows along its last axis."""
    checks.host("blocks", blocks, np.uint8)
    with Scope() as scope:
        values = scope.empty(values_shape(kind, blocks), np.float32)
        launch_dequantise(device, kind, scope.upload(blocks), values)
        return values.download()


def values_shape(kind: str, blocks: checks.ArrayLike, name: str = "blocks") -> tuple[int, ...]:
    """The shape of the values in *blocks*; ValueError when a block is incomplete."""
    entry = block_format(kind)
    size = entry.block_bytes
    *others, row = blocks.shape or (0,)
    if not blocks.shape or row % size:
        raise ValueError(f"{name} has shape {blocks.shape}: {kind} rows are multiples of {size}")
    return (*others, row // size * entry.elements)


def lanes_for(columns: int) -> int:
    """Threads that share a row of so many columns: a power of two, 8 runs of 32 each or less."""
    lanes = 1
    while lanes < _MOST_LANES and lanes * _UNITS_A_LANE * _UNIT < columns:
        lanes *= 2
    return lanes


def product_geometry(rows: int, columns: int) -> tuple[int, int]:
    """Threads that share a row, and blocks for all rows; ValueError for too many of either."""
    checks.within("columns", columns, 1, _MOST_COLUMNS)
    checks.within("rows", rows, 1, _MOST_ROWS)
    lanes = lanes_for(columns)
    return lanes, checks.blocks_for(f"{rows} rows of {lanes} threads", rows * lanes, THREADS)


def product_height(columns: int) -> int:
    """Additions on the longest path of a product's sum: see quantised_product.h."""
    lanes = lanes_for(columns)
    runs = -(-columns // (_UNIT * lanes))
    return 4 * runs + 3 + lanes - 1


def launch_quantised_gemm(
    device: DeviceLike, kind: str, blocks: Tensor, x: Tensor, y: Tensor
) -> None:
    """Launch y = x w^T for the matrix w that *blocks* (rows, bytes of a row) stand for.

    x (m, columns) and y (m, rows) float32; y overlaps neither. A single row of x is a
    matrix-vector product and takes the kernel for that.
    """
    entry = block_format(kind)
    checks.dtype("blocks", blocks, np.uint8)
    checks.floats(x=x, y=y)
    checks.rank("blocks", blocks, 2)
    checks.rank("x", x, 2)
    rows, columns = values_shape(kind, blocks)
    m = x.shape[0]
    checks.shape("x", x, (m, columns))
    checks.shape("y", y, (m, rows))
    for name, tensor in (("blocks", blocks), ("x", x)):
        checks.disjoint(name, tensor, "y", y)
    if y.size == 0:
        return
    checks.aligned("blocks", blocks.address, entry.alignment)
    checks.within("rows of x", m, 1, _MOST_GRID_Y * _ROWS_AT_ONCE)
    lanes, grid = product_geometry(rows, columns)
    row_blocks = columns // entry.elements
    if m == 1:
        kernel = modules.kernel(device, "quantised_gemv.hip", f"quantised_gemv_{entry.name}")
        kernel.launch(grid, THREADS, packed(blocks, x, y, rows, row_blocks, lanes))
        return
    kernel = modules.kernel(device, "quantised_gemm.hip", f"quantised_gemm_{entry.name}")
    across = (grid, -(-m // _ROWS_AT_ONCE), 1)
    kernel.launch(across, THREADS, packed(blocks, x, y, m, rows, row_blocks, lanes))


def quantised_gemm(
    device: DeviceLike, kind: str, blocks: checks.Host, x: checks.Host
) -> checks.Host:
    """The product of float32 rows x (m, columns) with a quantised matrix's rows: (m, rows)."""
    checks.host("blocks", blocks, np.uint8)
    checks.host("x", x, np.float32)
    checks.rank("blocks", blocks, 2)
    checks.rank("x", x, 2)
    with Scope() as scope:
        result = scope.empty((x.shape[0], blocks.shape[0]), np.float32)
        launch_quantised_gemm(device, kind, scope.upload(blocks), scope.upload(x), result)
        return result.download()


def quantised_gemv(
    device: DeviceLike, kind: str, blocks: checks.Host, x: checks.Host
) -> checks.Host:
    """The product of a quantised matrix (rows, bytes of a row) with a float32 vector: (rows,)."""
    checks.rank("x", x, 1)
    return quantised_gemm(device, kind, blocks, x[None, :]).reshape(blocks.shape[0])
