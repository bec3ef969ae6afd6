"""Launch geometry of the kernels that give each row a block: softmax, norms, reductions, scans."""

from __future__ import annotations

from hipaudit_runtime.ops import checks

MOST_COLUMNS = 1 << 30
_LEAST_BLOCK = 64
_MOST_BLOCK = 1024
_COLUMNS_A_THREAD = 32


def block_for(columns: int) -> int:
    """Threads for a row: a power of two from 64 to 1024, 32 columns a thread where that allows.

    Every such number is a multiple of both wave widths, as block_reduce.h demands.
    """
    block = _LEAST_BLOCK
    while block < _MOST_BLOCK and block * _COLUMNS_A_THREAD < columns:
        block *= 2
    return block


def summation_height(columns: int, wave_size: int) -> int:
    """Additions on the longest path of a row's sum: a thread's own, the wave's, the waves'.

    The height that an error bound of the sum needs; a thread's first addition to zero is exact
    but counted, since a fused square has its rounding there.
    """
    block = block_for(columns)
    return -(-columns // block) + (wave_size.bit_length() - 1) + block // wave_size - 1


def softmax_height(columns: int, wave_size: int) -> int:
    """Additions on the longest path of a row's sum by softmax.hip, by single elements or by fours.

    Vectors are fewer than single elements, but each adds two additions of its own.
    """
    block = block_for(columns)
    singles, vectors = -(-columns // block), -(-(columns // 4) // block) + 2
    return summation_height(columns, wave_size) + max(0, vectors - singles)


def row_geometry(kernel: str, rows: int, columns: int) -> int:
    """Threads a block for *rows* blocks, one a row.

    Raises ValueError for more columns or rows than the kernels can take.
    """
    checks.within("columns", columns, 1, MOST_COLUMNS)
    block = block_for(columns)
    checks.blocks_for(f"{kernel} of {rows} rows", rows * block, block)
    return block


def scan_height(columns: int, wave_size: int) -> int:
    """Additions on the longest path of a running sum by prefix_sum.hip.

    8 elements by a thread, the wave's scan, the waves, the lanes below, and the pieces before.
    """
    block = block_for(columns)
    pieces = -(-columns // (block * 8))
    return 8 + (wave_size.bit_length() - 1) + block // wave_size + 1 + pieces
