"""ggml's quantised blocks of 32 elements, and the table of all block types.

A tensor is a sequence of blocks; a block is a few scale bytes and packed codes, little-endian.
Decoding is defined in fp32, and for every type here the only rounding is the last operation, so
contraction to FMA changes nothing and a kernel can be held to the bit:

=======  =====  ========  ==================================================================
type     bytes  elements  layout and value
=======  =====  ========  ==================================================================
Q4_0        18        32  d f16, 16 bytes of nibbles:                 d (q - 8)
Q4_1        20        32  d f16, m f16, 16 bytes of nibbles:          d q + m
Q5_0        22        32  d f16, 32 high bits, 16 bytes of nibbles:   d (q - 16)
Q5_1        24        32  d f16, m f16, 32 high bits, nibbles:        d q + m
Q8_0        34        32  d f16, 32 int8:                             d q
Q8_1        36        32  d f16, s f16, 32 int8:                      d q
MXFP4       17        32  E8M0 byte, 16 bytes of nibbles:             scale * e2m1(q)
NVFP4       36        64  4 unsigned E4M3 bytes, 4 x 8 bytes of       scale * e2m1(q)
                          nibbles, of 16 elements each
=======  =====  ========  ==================================================================

Of each byte of nibbles the low one is element i, the high one element i + 16 (NVFP4: i + 8 of its
16). Q8_1 holds activations: its s, the sum of d q rounded to fp16, is what a product with a minimum
takes and no part of the values; past 65504 it is infinite (`sum_of_q8_1`). NVFP4's scale byte 0x7f
is 0, and of the others the top bit counts for nothing, as ggml reads them. The 256-element
types are in `ggml_super`. Types with a codebook (IQ1_S and the like) and ternary ones are decoded
by `gguf.quants` itself: for them it is the specification. Source: the block structures of ggml
(ggml-common.h); `gguf.quants` is the independent oracle, compared bit for bit in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Bytes, Float32, quiet, require
from hipaudit_reference.formats import ggml_super
from hipaudit_reference.formats.bits import half, nibbles

Decoder = Callable[[Bytes], Float32]

# Bytes of a block of 256 elements (of 32 for IQ4_NL).
_CODEBOOK_BYTES = {
    "TQ1_0": 54,
    "TQ2_0": 66,
    "IQ1_S": 50,
    "IQ1_M": 56,
    "IQ2_XXS": 66,
    "IQ2_XS": 74,
    "IQ2_S": 82,
    "IQ3_XXS": 98,
    "IQ3_S": 110,
    "IQ4_NL": 18,
    "IQ4_XS": 136,
}


@dataclass(frozen=True, slots=True)
class BlockType:
    """One block type: its name, its size in bytes, the elements it holds, and its decoder."""

    name: str
    bytes: int
    elements: int
    decoder: Decoder


def block_type(name: str) -> BlockType:
    """The block type of a name; ValueError that lists the names otherwise."""
    known = {**BLOCK_TYPES, **CODEBOOK_TYPES}
    require(name in known, f"{name!r} is none of the block types {', '.join(known)}")
    return known[name]


def as_blocks(data: ArrayLike, name: str) -> Bytes:
    """The bytes of a tensor as (blocks, bytes of a block); ValueError when they do not divide."""
    kind = block_type(name)
    array = np.ascontiguousarray(data)
    require(array.dtype == np.uint8, f"blocks of {name}: dtype is {array.dtype}, not uint8")
    require(
        array.size % kind.bytes == 0,
        f"blocks of {name}: {array.size} bytes are no multiple of the block's {kind.bytes}",
    )
    return array.reshape(-1, kind.bytes)


@quiet
def decode(data: ArrayLike, name: str) -> Float32:
    """Decode a tensor's bytes (uint8, any shape, blocks in order) to fp32, flat.

    Exact to the bit, the sign of zero included; of a NaN only that it is one (Inf * 0 and the
    like: its bits are the processor's). MXFP4 is ggml's: the byte 255 is 2^128, and code 8 is
    +0. By the OCP specification 255 is NaN: that one is `mx.decode`.
    """
    blocks = as_blocks(data, name)
    return block_type(name).decoder(blocks).reshape(-1)


# Where a type keeps its scale, and its minimum with the sign it enters with.
_SCALE_AND_MINIMUM = {
    "Q4_1": (0, 2, 1),
    "Q5_1": (0, 2, 1),
    "Q2_K": (80, 82, -1),
    "Q4_K": (0, 2, -1),
    "Q5_K": (0, 2, -1),
}
_SIGN = np.uint8(0x80)


def magnitudes(data: ArrayLike, name: str) -> Float32:
    """|d sc q| + |m| of every element, flat: what a kernel that adds the parts apart rounds."""
    blocks = as_blocks(data, name)
    if name in _SCALE_AND_MINIMUM:
        scale, minimum, sign = _SCALE_AND_MINIMUM[name]
        blocks = blocks.copy()
        blocks[:, scale + 1] &= ~_SIGN
        blocks[:, minimum + 1] &= ~_SIGN
        if sign < 0:
            blocks[:, minimum + 1] |= _SIGN
    return np.abs(decode(blocks, name))


def _q4_0(blocks: Bytes) -> Float32:
    return half(blocks, 0) * (nibbles(blocks[:, 2:]) - np.float32(8))


def _q4_1(blocks: Bytes) -> Float32:
    return half(blocks, 0) * nibbles(blocks[:, 4:]) + half(blocks, 2)


def _q5_0(blocks: Bytes) -> Float32:
    return half(blocks, 0) * (_five_bits(blocks[:, 2:]) - np.float32(16))


def _q5_1(blocks: Bytes) -> Float32:
    return half(blocks, 0) * _five_bits(blocks[:, 4:]) + half(blocks, 2)


def _five_bits(packed: Bytes) -> Float32:
    """32 five-bit codes: 4 bytes of fifth bits, then 16 bytes of nibbles."""
    fifth = np.unpackbits(packed[:, :4], axis=1, bitorder="little")
    return nibbles(packed[:, 4:]) + fifth * np.float32(16)


def _q8_0(blocks: Bytes) -> Float32:
    return half(blocks, 0) * blocks[:, 2:].view(np.int8).astype(np.float32)


def _q8_1(blocks: Bytes) -> Float32:
    return half(blocks, 0) * blocks[:, 4:].view(np.int8).astype(np.float32)


def sum_of_q8_1(data: ArrayLike) -> Float32:
    """The stored sums of Q8_1 blocks, one a block; infinite where the quantiser overflowed fp16."""
    return half(as_blocks(data, "Q8_1"), 2)[:, 0]


# Twice the e2m1 values, with half the scale: 2^128 = 2 * 2^127 would not be a finite fp32.
_TWICE_E2M1 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], dtype=np.float32)


def _mxfp4(blocks: Bytes) -> Float32:
    half_scale = np.ldexp(np.float32(1), blocks[:, :1].astype(np.int32) - 128).astype(np.float32)
    return half_scale * _TWICE_E2M1[nibbles(blocks[:, 1:]).astype(np.int64)]


def _nvfp4(blocks: Bytes) -> Float32:
    code = (blocks[:, :4] & 0x7F).astype(np.int32)
    exponent, mantissa = code >> 3, code & 7
    # Half the scale, as the table holds twice the values.
    normal = np.ldexp((8 + mantissa).astype(np.float32), exponent - 11)
    half_scale = np.where(exponent == 0, np.ldexp(mantissa.astype(np.float32), -10), normal)
    half_scale = np.where(blocks[:, :4] == 0x7F, np.float32(0), half_scale)
    pairs = blocks[:, 4:].reshape(-1, 4, 8)
    codes = np.concatenate([pairs & 15, pairs >> 4], axis=2).astype(np.int64)
    values = half_scale[:, :, None].astype(np.float32) * _TWICE_E2M1[codes]
    return np.asarray(values.reshape(-1, 64))


def _by_gguf(name: str) -> Decoder:
    """The decoder of `gguf.quants`, loaded when it is first needed."""

    def decoder(blocks: Bytes) -> Float32:
        import gguf

        kind = gguf.GGMLQuantizationType[name]
        return np.asarray(gguf.quants.dequantize(blocks, kind), dtype=np.float32)

    return decoder


CODEBOOK_TYPES: dict[str, BlockType] = {
    name: BlockType(name, size, 32 if name == "IQ4_NL" else 256, _by_gguf(name))
    for name, size in _CODEBOOK_BYTES.items()
}

# The types with a decoder of our own.
BLOCK_TYPES: dict[str, BlockType] = {
    kind.name: kind
    for kind in (
        BlockType("Q4_0", 18, 32, _q4_0),
        BlockType("Q4_1", 20, 32, _q4_1),
        BlockType("Q5_0", 22, 32, _q5_0),
        BlockType("Q5_1", 24, 32, _q5_1),
        BlockType("Q8_0", 34, 32, _q8_0),
        BlockType("Q2_K", 84, 256, ggml_super.q2_k),
        BlockType("Q3_K", 110, 256, ggml_super.q3_k),
        BlockType("Q4_K", 144, 256, ggml_super.q4_k),
        BlockType("Q5_K", 176, 256, ggml_super.q5_k),
        BlockType("Q6_K", 210, 256, ggml_super.q6_k),
        BlockType("Q8_1", 36, 32, _q8_1),
        BlockType("MXFP4", 17, 32, _mxfp4),
        BlockType("NVFP4", 36, 64, _nvfp4),
    )
}
