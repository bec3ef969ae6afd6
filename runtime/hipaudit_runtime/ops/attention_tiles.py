"""Launch geometry of the kernels that take attention's keys through shared memory tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

LANES = 16
"""Threads a query row."""
MOST_ROWS = 16
"""Rows of a block of 256 threads."""
MOST_SIZE = 256
"""Elements of a key or value that a row's lanes have registers for."""
MOST_TOKENS = (1 << 30) - 1
_LANES8 = 8
_MOST_KEYS = 32
_LONGEST_OF_MOST_KEYS = 128
SHARED_BYTES = 65536
"""Shared memory of a block, on every part."""


@dataclass(frozen=True, slots=True)
class TileShape:
    """How a block is laid out.

    rows          query rows of a block
    keys          keys of a tile
    shared_bytes  dynamic shared memory
    """

    rows: int
    keys: int
    shared_bytes: int

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return self.rows * LANES


def tile_shape(rows: int, size: int, value_size: int, *, latent: bool = False) -> TileShape:
    """The block for *rows* query rows in all, keys of *size* and values of *value_size* elements.

    4 rows where there are no more, else 8 or 16; 32 keys a tile unless they are long. *latent*:
    the values are the keys' first elements and lie in the same shared memory.
    """
    most = MOST_ROWS // 2 if latent else MOST_ROWS
    chosen = min(max(4, 1 << (max(rows, 1) - 1).bit_length()), most)
    keys = _MOST_KEYS if max(size, value_size) <= _LONGEST_OF_MOST_KEYS else _MOST_KEYS // 2
    query, value = _row_stride(size), 0 if latent else _row_stride(value_size)
    floats = chosen * (query + keys + LANES) + keys * (query + value)
    return TileShape(chosen, keys, 4 * floats)


def tile_count(keys: int, size: int, value_size: int) -> int:
    """How many tiles *keys* keys make, at most: how often an online softmax may rescale."""
    return -(-keys // tile_shape(1, size, value_size).keys)


def product_height(size: int) -> int:
    """Additions on the longest path of a logit's *size* products: a serial sum of 8, its halves."""
    return -(-size // _LANES8) + 3


def _row_stride(size: int) -> int:
    return -(-size // _LANES8) * _LANES8 + 4
