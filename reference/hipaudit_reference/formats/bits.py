"""Bit fields out of rows of block bytes: the vocabulary of the block decoders."""

from __future__ import annotations

import numpy as np

from hipaudit_reference.arrays import Bytes, Float32


def half(blocks: Bytes, at: int) -> Float32:
    """The little-endian fp16 at a byte offset of every block, as an fp32 column."""
    raw = np.ascontiguousarray(blocks[:, at : at + 2])
    return raw.view("<f2").astype(np.float32)


def nibbles(packed: Bytes) -> Float32:
    """All low nibbles of a row, then all its high nibbles: (blocks, n) > (blocks, 2 n)."""
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def fields(packed: Bytes, width: int) -> Bytes:
    """Fields of `width` bits, lowest first, as planes: (blocks, n) > (blocks, 8 / width, n)."""
    shifts = np.arange(0, 8, width, dtype=np.uint8)[:, None]
    return np.asarray((packed[:, None, :] >> shifts) & np.uint8((1 << width) - 1))
