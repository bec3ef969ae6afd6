"""Launch geometry of the kernels that give each row a block: softmax and the norms."""

from __future__ import annotations

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
