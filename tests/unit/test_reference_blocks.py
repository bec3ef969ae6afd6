"""Block formats against `gguf.quants`, bit for bit over random bytes, and MX by its definition."""

from __future__ import annotations

from typing import Any

import gguf
import ml_dtypes
import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.bounds import AMD_FAST
from hipaudit_reference.formats import FP16, FP32, decode, e8m0, ggml, mx, round_to

# fp16 scales worth a block each: zeros, subnormals, ordinary, largest, infinities, NaN.
_SCALES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x3C00, 0xBC01, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00]
_SCALE_AT = {
    **dict.fromkeys(("Q4_0", "Q5_0", "Q8_0"), (0,)),
    **dict.fromkeys(("Q4_1", "Q5_1", "Q4_K", "Q5_K"), (0, 2)),
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q6_K": (208,),
    "MXFP4": (),
    "NVFP4": (),
}
# gguf does not decode Q8_1, and gives it the size that it had with float32 fields.
_IN_GGUF = [name for name in ggml.BLOCK_TYPES if name != "Q8_1"]


def _random_blocks(name: str, count: int = 3000) -> Any:
    kind = ggml.BLOCK_TYPES[name]
    generator = np.random.default_rng(list(name.encode()))
    blocks = generator.integers(0, 256, (count, kind.bytes), dtype=np.uint8)
    for offset in _SCALE_AT[name]:
        chosen = generator.choice(np.array(_SCALES, dtype="<u2"), count // 2)
        blocks[: count // 2, offset : offset + 2] = chosen.view(np.uint8).reshape(-1, 2)
    return blocks


@pytest.mark.parametrize("name", _IN_GGUF)
def test_decoding_equals_gguf_bit_for_bit(name: str) -> None:
    blocks = _random_blocks(name)
    with np.errstate(all="ignore"):
        kind = gguf.GGMLQuantizationType[name]
        expected = gguf.quants.dequantize(blocks, kind).reshape(-1)
    values = ggml.decode(blocks, name)
    assert values.dtype == np.float32
    assert values.size == len(blocks) * ggml.BLOCK_TYPES[name].elements
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(values), nan)
    np.testing.assert_array_equal(values.view(np.uint32)[~nan], expected.view(np.uint32)[~nan])
    assert np.any(nan) or name in ("MXFP4", "NVFP4")


def test_every_scale_and_code_of_nvfp4_is_what_gguf_has() -> None:
    blocks = np.zeros((256, 36), np.uint8)
    blocks[:, :4] = np.arange(256)[:, None]
    blocks[:, 4:] = np.tile(np.arange(16) | np.arange(15, -1, -1) << 4, 2)
    expected = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType.NVFP4)
    np.testing.assert_array_equal(ggml.decode(blocks, "NVFP4").reshape(256, 64), expected)
    assert np.max(expected) == 480 * 6  # ggml reads 0xff as a number, 0x7f as 0


def test_q8_1_is_its_codes_times_its_step_and_keeps_a_sum_that_may_overflow() -> None:
    block = np.zeros((2, 36), np.uint8)
    block[:, :2] = np.array([20.0], "<f2").view(np.uint8)
    block[:, 4:] = 127
    with np.errstate(over="ignore"):
        sums = np.array([32 * 127 * 20.0]).astype(np.float16)  # 81,280: beyond fp16
    block[1, 2:4] = sums.view(np.uint8)
    np.testing.assert_array_equal(ggml.decode(block, "Q8_1"), np.full(64, 2540, np.float32))
    assert ggml.sum_of_q8_1(block).tolist() == [0.0, np.inf]


def test_block_sizes_are_ggmls() -> None:
    sizes = {name: kind.bytes for name, kind in ggml.BLOCK_TYPES.items()}
    assert sizes == {
        "Q4_0": 18,
        "Q4_1": 20,
        "Q5_0": 22,
        "Q5_1": 24,
        "Q8_0": 34,
        "Q2_K": 84,
        "Q3_K": 110,
        "Q4_K": 144,
        "Q5_K": 176,
        "Q6_K": 210,
        "Q8_1": 36,
        "MXFP4": 17,
        "NVFP4": 36,
    }
    for name in _IN_GGUF:
        kind = ggml.BLOCK_TYPES[name]
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]] == (kind.elements, kind.bytes)


@pytest.mark.parametrize("name", _IN_GGUF)
def test_magnitudes_are_the_sum_of_the_parts(name: str) -> None:
    blocks = _random_blocks(name)
    values, sizes = ggml.decode(blocks, name), ggml.magnitudes(blocks, name)
    finite = np.isfinite(values) & np.isfinite(sizes)
    assert np.all(sizes[finite] >= np.abs(values[finite]))
    if name not in ("Q4_1", "Q5_1", "Q2_K", "Q4_K", "Q5_K"):
        np.testing.assert_array_equal(sizes[finite], np.abs(values[finite]))
    else:
        assert np.any(sizes[finite] > np.abs(values[finite]))


def test_dequantise_keeps_every_bit_of_fp32() -> None:
    blocks = _random_blocks("Q4_1")
    with np.errstate(all="ignore"):
        fp32 = ref.dequantise(blocks, "Q4_1").astype(np.float32)
    np.testing.assert_array_equal(fp32.view(np.uint32), ggml.decode(blocks, "Q4_1").view(np.uint32))
    half = ref.dequantise(blocks, "Q4_1", FP16)
    np.testing.assert_array_equal(half, round_to(ggml.decode(blocks, "Q4_1"), FP16))
    assert not np.any(bounds.dequantise(blocks, "Q4_1"))
    small = np.abs(fp32) < FP32.min_normal
    np.testing.assert_array_equal(bounds.dequantise(blocks, "Q4_1", device=AMD_FAST) > 0, small)


@pytest.mark.parametrize("name", ggml.CODEBOOK_TYPES)
def test_codebook_types_are_decoded_whole(name: str) -> None:
    kind = ggml.CODEBOOK_TYPES[name]
    assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]] == (kind.elements, kind.bytes)
    blocks = np.random.default_rng(3).integers(0, 256, (50, kind.bytes), dtype=np.uint8)
    values = ref.dequantise(blocks, name)
    assert values.shape == (50 * kind.elements,)
    assert np.unique(values[np.isfinite(values)]).size > 50


def test_e8m0_is_a_power_of_two_for_every_code() -> None:
    codes = np.arange(256, dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        expected = codes.view(ml_dtypes.float8_e8m0fnu).astype(np.float64)
    np.testing.assert_array_equal(e8m0.decode(codes), expected)
    assert e8m0.decode(np.uint8(0)) == 2.0**-127
    assert np.isnan(e8m0.decode(np.uint8(255)))
    np.testing.assert_array_equal(e8m0.encode(e8m0.decode(codes)), codes)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_e8m0_rounds_as_ml_dtypes_does() -> None:
    x = np.random.default_rng(0).uniform(-126, 126, 20_000)
    x = np.concatenate([2.0**x, 1.5 * 2.0 ** np.arange(-126.0, 126), [np.inf, -1.0, np.nan]])
    x = x.astype(np.float32)
    expected = x.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    np.testing.assert_array_equal(e8m0.encode(x), expected)
    assert e8m0.encode(5.0, "down") == 129
    assert e8m0.encode(5.0, "up") == 130
    assert e8m0.encode(4.0, "up") == 129


@pytest.mark.parametrize("kind", mx.MX_KINDS)
def test_mx_decodes_by_its_definition(kind: str) -> None:
    element, size = mx.MX_KINDS[kind], mx.block_bytes(kind)
    blocks = np.random.default_rng(1).integers(0, 256, (300, size), dtype=np.uint8)
    blocks[:3, 0] = [0, 254, 255]
    values = mx.decode(blocks, kind).reshape(-1, 32)
    for row in (0, 1, 2, 77):
        stream = int.from_bytes(blocks[row, 1:].tobytes(), "little")
        codes = [stream >> element.bits * i & (1 << element.bits) - 1 for i in range(32)]
        scale = np.nan if blocks[row, 0] == 255 else 2.0 ** (int(blocks[row, 0]) - 127)
        expected = scale * decode(np.array(codes, dtype=np.uint8), element)
        np.testing.assert_array_equal(values[row], expected)
    assert np.all(np.isnan(values[2]))
    assert np.max(np.abs(values[1][np.isfinite(values[1])])) <= 2.0**127 * element.max_finite


@pytest.mark.parametrize("kind", mx.MX_KINDS)
def test_every_code_under_every_scale_is_what_ml_dtypes_has(kind: str) -> None:
    element = mx.MX_KINDS[kind]
    codes = np.arange(1 << element.bits, dtype=np.uint8).reshape(-1, min(32, 1 << element.bits))
    codes = np.tile(codes, (1, 32 // codes.shape[1]))
    packed = mx._pack(codes, element.bits)
    scales = np.arange(256, dtype=np.uint8).repeat(len(packed))[:, None]
    blocks = np.concatenate([scales, np.tile(packed, (256, 1))], axis=1)
    with np.errstate(invalid="ignore"):
        theirs = np.tile(codes, (256, 1)).view(getattr(ml_dtypes, element.name))
        scale = scales.view(ml_dtypes.float8_e8m0fnu).astype(np.float64)
        expected = scale * theirs.astype(np.float64)
    np.testing.assert_array_equal(mx.decode(blocks, kind).reshape(expected.shape), expected)


@pytest.mark.parametrize("kind", mx.MX_KINDS)
def test_mx_quantisation_is_within_half_a_step(kind: str) -> None:
    element = mx.MX_KINDS[kind]
    x = np.random.default_rng(2).normal(0, 1, (50, 32)) * 10.0 ** np.arange(-25, 25)[:, None]
    blocks = mx.encode(x, kind)
    back = mx.decode(blocks, kind).reshape(x.shape)
    peak = np.max(np.abs(x), axis=1, keepdims=True)
    # The scale maps the peak into the top binade, whose end saturates.
    top = 2.0 ** np.floor(np.log2(peak)) * 2
    step = top * element.unit_roundoff
    assert np.all(
        np.abs(back - x) <= np.where(np.abs(x) > top * (1 - element.unit_roundoff), top / 4, step)
    )
    np.testing.assert_array_equal(mx.encode(back, kind)[:, 1:], blocks[:, 1:])
    assert np.all(np.isnan(mx.decode(mx.encode(np.full(32, np.inf), kind), kind)))
    assert not np.any(mx.decode(mx.encode(np.zeros(32), kind), kind))


def test_mxfp4_of_ggml_and_of_ocp_agree_on_values_but_not_on_nan() -> None:
    element = np.arange(16, dtype=np.uint8)
    ggml_block = np.concatenate([[127], element | element << 4]).astype(np.uint8)
    ocp_block = np.concatenate([[127], np.tile(element[0::2] | element[1::2] << 4, 2)]).astype(
        np.uint8
    )
    a, b = ggml.decode(ggml_block, "MXFP4"), mx.decode(ocp_block, "MXFP4_E2M1")
    np.testing.assert_array_equal(a, b)
    ggml_block[0] = ocp_block[0] = 255
    assert not np.any(np.isnan(ggml.decode(ggml_block, "MXFP4")))
    assert np.all(np.isnan(mx.decode(ocp_block, "MXFP4_E2M1")))


def test_mx_dequantises_to_fp32_and_overflows_there() -> None:
    block = np.zeros((1, 33), dtype=np.uint8)
    block[0, :3] = [254, 0x7E, 0x38]
    values = ref.dequantise(block, "MXFP8_E4M3")
    assert values[:3].tolist() == [np.inf, 2.0**127, 0.0]


def test_wrong_blocks_are_refused_with_their_value() -> None:
    with pytest.raises(ValueError, match="'Q9' is none of the block types Q4_0"):
        ggml.decode(np.zeros(18, dtype=np.uint8), "Q9")
    with pytest.raises(ValueError, match="19 bytes are no multiple of the block's 18"):
        ggml.decode(np.zeros(19, dtype=np.uint8), "Q4_0")
    with pytest.raises(ValueError, match="dtype is int8"):
        ggml.decode(np.zeros(18, dtype=np.int8), "Q4_0")
    with pytest.raises(ValueError, match="33 elements are no multiple of 32"):
        mx.encode(np.zeros(33), "MXFP4_E2M1")
    with pytest.raises(ValueError, match="'MXFP5' is none of the MX kinds"):
        mx.decode(np.zeros(33, dtype=np.uint8), "MXFP5")
    assert ggml.decode(np.zeros((0, 18), dtype=np.uint8), "Q4_0").shape == (0,)
