"""ggml's super-blocks of 256 elements (the K types).

A super-block holds one or two fp16 scales, 8 or 16 small integer scales, and 256 codes:

=====  =====  ==========================================================================
type   bytes  layout and value (b: the sub-block of the element)
=====  =====  ==========================================================================
Q2_K      84  16 scale/min nibble pairs, 64 bytes of 2-bit codes, d, dmin:
              (d sc_b) q - (dmin m_b), sub-blocks of 16
Q3_K     110  32 bytes of third bits, 64 bytes of 2-bit codes, 12 bytes of 6-bit scales, d:
              (d (sc_b - 32)) (q - 4 (1 - third bit)), sub-blocks of 16
Q4_K     144  d, dmin, 12 bytes of 6-bit scales and mins, 128 bytes of nibbles:
              (d sc_b) q - (dmin m_b), sub-blocks of 32
Q5_K     176  d, dmin, 12 bytes of scales and mins, 32 bytes of fifth bits, 128 of nibbles
Q6_K     210  128 bytes of low nibbles, 64 bytes of 2-bit tops, 16 int8 scales, d:
              (d sc_b) (q - 32), sub-blocks of 16
=====  =====  ==========================================================================

Products d sc q need at most 24 bits (11 + 8 + 5), so the subtraction is the only rounding.
"""

from __future__ import annotations

import numpy as np

from hipaudit_reference.arrays import Bytes, Float32
from hipaudit_reference.formats.bits import fields, half


def q2_k(blocks: Bytes) -> Float32:
    """Decode Q2_K blocks: (blocks, 84) > (blocks, 256)."""
    scales = blocks[:, :16]
    codes = _two_bit_codes(blocks[:, 16:80]).reshape(-1, 16, 16)
    scale = half(blocks, 80) * (scales & 15).astype(np.float32)
    minimum = half(blocks, 82) * (scales >> 4).astype(np.float32)
    return _flat(scale[:, :, None] * codes.astype(np.float32) - minimum[:, :, None])


def q3_k(blocks: Bytes) -> Float32:
    """Decode Q3_K blocks: (blocks, 110) > (blocks, 256)."""
    third = fields(blocks[:, :32], 1).reshape(-1, 256)
    low = _two_bit_codes(blocks[:, 32:96])
    # A clear third bit subtracts 4; a set one subtracts nothing.
    codes = low.astype(np.float32) - 4 * (1 - third.astype(np.float32))
    scale = half(blocks, 108) * (_q3_scales(blocks[:, 96:108]) - np.float32(32))
    return _flat(scale[:, :, None] * codes.reshape(-1, 16, 16))


def q4_k(blocks: Bytes) -> Float32:
    """Decode Q4_K blocks: (blocks, 144) > (blocks, 256)."""
    return _scale_and_minimum(blocks, _nibble_runs(blocks[:, 16:144]))


def q5_k(blocks: Bytes) -> Float32:
    """Decode Q5_K blocks: (blocks, 176) > (blocks, 256)."""
    fifth = fields(blocks[:, 16:48], 1)
    codes = _nibble_runs(blocks[:, 48:176]) | (fifth << np.uint8(4))
    return _scale_and_minimum(blocks, codes)


def q6_k(blocks: Bytes) -> Float32:
    """Decode Q6_K blocks: (blocks, 210) > (blocks, 256)."""
    # Each half of 128 elements: 64 bytes whose low nibbles come first, and 32 bytes of tops.
    low = np.stack([fields(blocks[:, 64 * k : 64 * k + 64], 4) for k in (0, 1)], axis=1)
    top = np.stack([fields(blocks[:, 128 + 32 * k : 160 + 32 * k], 2) for k in (0, 1)], axis=1)
    codes = (low.reshape(-1, 256) | (top.reshape(-1, 256) << 4)).astype(np.float32) - 32
    small = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8).astype(np.float32)
    scale = half(blocks, 208) * small
    return _flat(scale[:, :, None] * codes.reshape(-1, 16, 16))


def _scale_and_minimum(blocks: Bytes, codes: Bytes) -> Float32:
    """(d sc) q - (dmin m) of Q4_K and Q5_K; codes are (blocks, 8, 32)."""
    scales, minima = _packed_scales(blocks[:, 4:16])
    scale = half(blocks, 0) * scales
    minimum = half(blocks, 2) * minima
    return _flat(scale[:, :, None] * codes.astype(np.float32) - minimum[:, :, None])


def _packed_scales(packed: Bytes) -> tuple[Float32, Float32]:
    """Eight 6-bit scales and eight 6-bit minima out of 12 bytes.

    Bytes 0-3 and 4-7 hold scales and minima 0-3 in their low six bits; their top two bits are
    the top bits of scales and minima 4-7, whose low nibbles share bytes 8-11.
    """
    first, second, shared = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (shared & 15) | (first >> 6 << 4)], axis=1)
    minima = np.concatenate([second & 63, (shared >> 4) | (second >> 6 << 4)], axis=1)
    return scales.astype(np.float32), minima.astype(np.float32)


def _q3_scales(packed: Bytes) -> Float32:
    """Sixteen 6-bit scales out of 12 bytes: nibbles in 8 bytes, top bit pairs in 4."""
    low = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    top = fields(packed[:, 8:], 2).reshape(-1, 16)
    return np.asarray(low | (top << 4), dtype=np.float32)


def _two_bit_codes(packed: Bytes) -> Bytes:
    """256 two-bit codes: each run of 32 bytes holds 128 elements, lowest bits first."""
    return np.stack([fields(packed[:, :32], 2), fields(packed[:, 32:], 2)], axis=1).reshape(-1, 256)


def _nibble_runs(packed: Bytes) -> Bytes:
    """256 nibbles: each run of 32 bytes holds 64 elements, low nibbles first: (blocks, 8, 32)."""
    runs = [fields(packed[:, 32 * k : 32 * k + 32], 4) for k in range(4)]
    return np.stack(runs, axis=1).reshape(-1, 8, 32)


def _flat(values: Float32) -> Float32:
    return values.reshape(-1, 256)
