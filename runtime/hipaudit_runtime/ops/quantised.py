"""Dequantisation of GGML's block formats to float32, exact in every bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

_BLOCK = 32
_VALUES_A_THREAD = 4
_THREADS = 256
_MOST_BLOCKS = (1 << 28) - 1


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """A GGML format with 32 values a block.

    kernel       entry point, in the file of that name
    block_bytes  bytes a block
    """

    kernel: str
    block_bytes: int


FORMATS = {
    "Q4_0": BlockFormat("dequantise_q4_0", 18),
    "Q4_1": BlockFormat("dequantise_q4_1", 20),
    "Q5_0": BlockFormat("dequantise_q5_0", 22),
    "Q5_1": BlockFormat("dequantise_q5_1", 24),
    "Q8_0": BlockFormat("dequantise_q8_0", 34),
}
"""By GGML's name."""


def launch_dequantise(device: DeviceLike, kind: str, blocks: Tensor, values: Tensor) -> None:
    """Launch the dequantisation of *blocks* (uint8) to *values* (float32).

    The last axis of blocks holds whole blocks' bytes, that of values their elements; the other
    axes are equal. Raises ValueError for a format that is not in `FORMATS`.
    """
    entry = _format(kind)
    checks.dtype("blocks", blocks, np.uint8)
    checks.dtype("values", values, np.float32)
    checks.shape("values", values, _values_shape(kind, blocks))
    checks.disjoint("blocks", blocks, "values", values)
    if values.size == 0:
        return
    checks.aligned("blocks", blocks.address, 2)
    checks.aligned("values", values.address, 16)
    count = checks.within("block count", values.size // _BLOCK, 1, _MOST_BLOCKS)
    grid = checks.blocks_for(f"{count} {kind} blocks", values.size // _VALUES_A_THREAD, _THREADS)
    kernel = modules.kernel(device, f"{entry.kernel}.hip", entry.kernel)
    kernel.launch(grid, _THREADS, packed(blocks, values, count))


def dequantise(device: DeviceLike, kind: str, blocks: checks.Host) -> checks.Host:
    """The float32 values of a uint8 host array of blocks, rows along its last axis."""
    checks.host("blocks", blocks, np.uint8)
    with Scope() as scope:
        values = scope.empty(_values_shape(kind, blocks), np.float32)
        launch_dequantise(device, kind, scope.upload(blocks), values)
        return values.download()


def dequantise_q4_0(device: DeviceLike, blocks: checks.Host) -> checks.Host:
    """`dequantise` of Q4_0: 18 bytes a block, a scale."""
    return dequantise(device, "Q4_0", blocks)


def dequantise_q4_1(device: DeviceLike, blocks: checks.Host) -> checks.Host:
    """`dequantise` of Q4_1: 20 bytes a block, scale and minimum."""
    return dequantise(device, "Q4_1", blocks)


def dequantise_q5_0(device: DeviceLike, blocks: checks.Host) -> checks.Host:
    """`dequantise` of Q5_0: 22 bytes a block, a scale."""
    return dequantise(device, "Q5_0", blocks)


def dequantise_q5_1(device: DeviceLike, blocks: checks.Host) -> checks.Host:
    """`dequantise` of Q5_1: 24 bytes a block, scale and minimum."""
    return dequantise(device, "Q5_1", blocks)


def dequantise_q8_0(device: DeviceLike, blocks: checks.Host) -> checks.Host:
    """`dequantise` of Q8_0: 34 bytes a block, scale and signed bytes."""
    return dequantise(device, "Q8_0", blocks)


def _format(kind: str) -> BlockFormat:
    if kind not in FORMATS:
        raise ValueError(f"no kernel for the format {kind}; there are {', '.join(FORMATS)}")
    return FORMATS[kind]


def _values_shape(kind: str, blocks: checks.ArrayLike) -> tuple[int, ...]:
    """The shape of the values in *blocks*; ValueError when a block is incomplete."""
    size = _format(kind).block_bytes
    *others, row = blocks.shape or (0,)
    if not blocks.shape or row % size:
        raise ValueError(f"blocks has shape {blocks.shape}: {kind} rows are multiples of {size}")
    return (*others, row // size * _BLOCK)
