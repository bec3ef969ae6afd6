"""OCP MX blocks: 32 elements of a small format under one E8M0 scale.

A block's bytes here are the scale, then the 32 element codes as one little-endian bit stream
(element i at bits w i .. w i + w - 1), since the specification leaves the layout open:

===========  =====  ==========================
kind         bytes  element
===========  =====  ==========================
MXFP8_E4M3      33  float8_e4m3fn
MXFP8_E5M2      33  float8_e5m2
MXFP6_E2M3      25  float6_e2m3fn
MXFP6_E3M2      25  float6_e3m2fn
MXFP4_E2M1      17  float4_e2m1fn
===========  =====  ==========================

ggml's MXFP4 (`ggml.decode`) orders its nibbles otherwise, and knows no NaN scale.
Source: OCP Microscaling Formats (MX) 1.0, sections 5 and 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import AnyArray, Bytes, Float64, as_float64, quiet, require
from hipaudit_reference.formats import e8m0
from hipaudit_reference.formats.floats import E2M1, E2M3, E3M2, E4M3FN, E5M2, Format
from hipaudit_reference.formats.rounding import decode as decode_codes
from hipaudit_reference.formats.rounding import encode as encode_values

BLOCK = 32

MX_KINDS: dict[str, Format] = {
    "MXFP8_E4M3": E4M3FN,
    "MXFP8_E5M2": E5M2,
    "MXFP6_E2M3": E2M3,
    "MXFP6_E3M2": E3M2,
    "MXFP4_E2M1": E2M1,
}


def block_bytes(kind: str) -> int:
    """Bytes of a block, scale included."""
    return 1 + BLOCK * element_format(kind).bits // 8


def element_format(kind: str) -> Format:
    """The element format of a kind; ValueError that lists the kinds otherwise."""
    require(kind in MX_KINDS, f"{kind!r} is none of the MX kinds {', '.join(MX_KINDS)}")
    return MX_KINDS[kind]


@quiet
def decode(data: ArrayLike, kind: str) -> Float64:
    """Scale times element of every element, flat, exact in float64.

    data: uint8, whole blocks. A scale of 255 makes its block NaN; an element's own Inf or NaN
    stays. Rounding to fp32 overflows where scale and element are both near their largest.
    """
    codes = np.ascontiguousarray(data)
    size = block_bytes(kind)
    require(codes.dtype == np.uint8, f"blocks of {kind}: dtype is {codes.dtype}, not uint8")
    require(
        codes.size % size == 0,
        f"blocks of {kind}: {codes.size} bytes are no multiple of the block's {size}",
    )
    blocks = codes.reshape(-1, size)
    element = element_format(kind)
    values = decode_codes(_unpack(blocks[:, 1:], element.bits), element)
    return np.asarray(e8m0.decode(blocks[:, :1]) * values).reshape(-1)


@quiet
def encode(values: ArrayLike, kind: str) -> Bytes:
    """Quantise to MX: uint8, (blocks, bytes of a block); the size is a multiple of 32.

    The scale is 2^(floor(log2 max|v|) - emax of the element), clamped to E8M0; elements are
    rounded to nearest and saturate (section 6.3). A block with a value that is not finite gets
    the NaN scale; a block of zeros the smallest one.
    """
    x = as_float64(values, "values").reshape(-1)
    require(x.size % BLOCK == 0, f"values: {x.size} elements are no multiple of {BLOCK}")
    element = element_format(kind)
    blocks = x.reshape(-1, BLOCK)
    peak = np.max(np.abs(blocks), axis=1, keepdims=True, initial=0.0)
    _, exponent = np.frexp(peak)
    shared = np.clip(exponent - 1 - element.max_exponent, -e8m0.BIAS, e8m0.BIAS)
    shared = np.where(peak == 0, -e8m0.BIAS, shared)
    codes = encode_values(np.ldexp(blocks, -shared), element, overflow="saturate")
    scale = np.where(np.isfinite(peak), shared + e8m0.BIAS, e8m0.NAN_CODE).astype(np.uint8)
    return np.concatenate([scale, _pack(codes, element.bits)], axis=1)


def _unpack(packed: Bytes, bits: int) -> AnyArray:
    """(blocks, bytes) > (blocks, 32) codes of so many bits."""
    stream = np.unpackbits(packed, axis=1, bitorder="little").reshape(-1, BLOCK, bits)
    return np.asarray(stream @ (1 << np.arange(bits))).astype(np.uint8)


def _pack(codes: AnyArray, bits: int) -> Bytes:
    """(blocks, 32) codes > (blocks, bytes)."""
    stream = (codes[:, :, None] >> np.arange(bits)) & 1
    return np.packbits(stream.astype(np.uint8).reshape(len(codes), -1), axis=1, bitorder="little")
