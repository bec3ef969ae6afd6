"""Formats: every code both ways, every rounding against exhaustive search, ULP."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from hipaudit_reference import formats
from hipaudit_reference.formats import (
    BF16,
    E4M3FN,
    E4M3FNUZ,
    E5M2,
    E5M2FNUZ,
    FP16,
    FP32,
    FP64,
    Format,
    decode,
    encode,
    round_to,
)
from hipaudit_reference.formats.rounding import Rounding

_SMALL = [f for f in formats.ALL_FORMATS.values() if f.bits <= 16]
_TINY = [f for f in _SMALL if f.bits <= 8]


def _dtype(of: Format) -> Any:
    return np.dtype("float16") if of == FP16 else np.dtype(getattr(ml_dtypes, of.name))


def _codes(of: Format) -> Any:
    return np.arange(1 << of.bits, dtype=of.code_type)


@pytest.mark.parametrize("of", _SMALL, ids=lambda f: f.name)
def test_every_code_decodes_as_ml_dtypes_has_it(of: Format) -> None:
    with np.errstate(invalid="ignore"):
        expected = _codes(of).view(_dtype(of)).astype(np.float64)
    values = decode(_codes(of), of)
    np.testing.assert_array_equal(values, expected)
    finite = ~np.isnan(values)
    np.testing.assert_array_equal(np.signbit(values[finite]), np.signbit(expected[finite]))


@pytest.mark.parametrize("of", _SMALL, ids=lambda f: f.name)
def test_every_finite_code_survives_the_round_trip(of: Format) -> None:
    codes = _codes(of)
    values = decode(codes, of)
    numbers = ~np.isnan(values)
    np.testing.assert_array_equal(encode(values, of)[numbers], codes[numbers])
    assert np.all(np.isnan(decode(encode(values[~numbers], of), of)))
    assert np.any(~numbers) == of.has_nan
    assert np.any(np.isinf(values)) == of.has_infinity


@pytest.mark.parametrize("of", _SMALL, ids=lambda f: f.name)
def test_the_properties_say_what_the_codes_are(of: Format) -> None:
    values = np.unique(decode(_codes(of), of))
    positive = values[np.isfinite(values) & (values > 0)]
    assert positive.max() == of.max_finite
    assert positive.min() == of.min_subnormal
    steps = np.diff(positive)
    # The first wider step begins at the second binade.
    assert of.min_normal == positive[np.flatnonzero(steps > steps[0])[0]] / 2
    one = positive[positive > 1].min() - 1
    assert of.unit_roundoff == one / 2


def test_unit_roundoffs_are_those_of_the_literature() -> None:
    expected = {FP32: 24, FP16: 11, BF16: 8, E4M3FN: 4, E5M2: 3}
    assert {of: of.unit_roundoff for of in expected} == {of: 2.0**-p for of, p in expected.items()}
    assert (FP16.max_finite, E4M3FN.max_finite, E5M2.max_finite) == (65504, 448, 57344)
    assert (E4M3FNUZ.max_finite, E5M2FNUZ.max_finite) == (240, 57344)


def test_fp4_is_the_specifications_list() -> None:
    assert decode(np.arange(8, dtype=np.uint8), formats.E2M1).tolist() == [
        0,
        0.5,
        1,
        1.5,
        2,
        3,
        4,
        6,
    ]


@pytest.mark.parametrize("of", [E4M3FNUZ, E5M2FNUZ], ids=lambda f: f.name)
def test_fnuz_has_nan_where_minus_zero_would_be(of: Format) -> None:
    assert np.isnan(decode(np.uint8(0x80), of))
    assert encode(-0.0, of) == 0
    assert encode(-1e-30, of) == 0
    assert encode(np.inf, of) == 0x80


def _probes() -> Any:
    """fp32 numbers: all magnitudes, every bit pattern of exponent, ties of the small formats."""
    generator = np.random.default_rng(0)
    words = generator.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    near = np.concatenate([decode(_codes(of), of) for of in _SMALL])
    near = near[np.isfinite(near)]
    between = ((near[1:] + near[:-1]) / 2).astype(np.float32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 464, 465, 61440, 65519.99, 65520])
    return np.concatenate([words, near, between, special]).astype(np.float32)


@pytest.mark.parametrize("of", _SMALL, ids=lambda f: f.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_conversion_from_fp32_agrees_with_ml_dtypes(of: Format) -> None:
    x = _probes()
    expected = x.astype(_dtype(of)).view(of.code_type)
    codes = encode(x, of)
    nan = np.isnan(x)
    np.testing.assert_array_equal(codes[~nan], expected[~nan])
    if of.has_nan:
        assert np.all(np.isnan(decode(codes[nan], of)))
    else:
        assert np.all(codes[nan] == 1 << (of.bits - 1))


@pytest.mark.parametrize("of", _TINY, ids=lambda f: f.name)
@pytest.mark.parametrize("rounding", ["nearest", "zero", "up", "down"])
def test_rounding_finds_the_right_neighbour(of: Format, rounding: Rounding) -> None:
    grid = np.unique(decode(_codes(of), of))
    grid = np.append(-0.0, grid[np.isfinite(grid) & (grid != 0)])
    grid.sort()
    x = np.concatenate([grid, (grid[1:] + grid[:-1]) / 2, np.linspace(grid[0], grid[-1], 4001)])
    above = grid[np.searchsorted(grid, x, side="left")]
    below = grid[np.searchsorted(grid, x, side="right") - 1]
    even = encode(above, of) % 2 == 0
    nearest = np.where(above - x < x - below, above, below)
    nearest = np.where(above - x == x - below, np.where(even, above, below), nearest)
    towards_zero = np.where(x < 0, above, below)
    expected = {"nearest": nearest, "zero": towards_zero, "up": above, "down": below}[rounding]
    np.testing.assert_array_equal(round_to(x, of, rounding), expected)


def test_directed_overflow() -> None:
    x = np.array([1e6, -1e6, np.inf, -np.inf])
    big, inf = FP16.max_finite, np.inf
    assert round_to(x, FP16, "zero").tolist() == [big, -big, inf, -inf]
    assert round_to(x, FP16, "up").tolist() == [inf, -big, inf, -inf]
    assert round_to(x, FP16, "down").tolist() == [big, -inf, inf, -inf]
    assert round_to(x, FP16, overflow="saturate").tolist() == [big, -big, big, -big]
    assert np.all(np.isnan(round_to(x, E4M3FN)))
    assert round_to(x, E4M3FN, "zero").tolist()[:2] == [448, -448]
    assert round_to(x, formats.E2M1).tolist() == [6, -6, 6, -6]


def test_conversion_rounds_once() -> None:
    # Half way between two e4m3 numbers after fp16, just above before.
    x = np.float32(1.0625) + np.float32(2.0**-20)
    assert round_to(x, E4M3FN) == 1.125
    assert round_to(round_to(x, FP16), E4M3FN) == 1.0
    # float64 to bfloat16 likewise, through fp32.
    y = 1 + 2.0**-8 + 2.0**-40
    assert round_to(y, BF16) == 1 + 2.0**-7
    assert round_to(round_to(y, FP32), BF16) == 1.0


@pytest.mark.parametrize("of", [FP32, FP16, BF16, E5M2], ids=lambda f: f.name)
def test_ulp_is_the_spacing(of: Format) -> None:
    x = round_to(np.array([1.0, 1.5, 3.0, 2.0**-10, of.min_normal, of.min_subnormal]), of)
    next_up = round_to(x * (1 + of.unit_roundoff / 8) + of.min_subnormal / 8, of, "up")
    np.testing.assert_array_equal(formats.ulp(x, of), next_up - x)
    assert formats.ulp(0.0, of) == of.min_subnormal
    assert formats.ulp(-3.0, of) == formats.ulp(3.0, of)
    assert np.isnan(formats.ulp(np.inf, of))


def test_ulp_distance_counts_steps() -> None:
    one = np.float32(1)
    after = np.nextafter(one, np.float32(2))
    before = np.nextafter(one, np.float32(0))
    assert formats.ulp_distance(after, before, FP32) == 2
    assert formats.ulp_distance(0.0, -0.0, FP32) == 0
    assert formats.ulp_distance(FP32.min_subnormal, -FP32.min_subnormal, FP32) == 2
    assert formats.ulp_distance(FP32.max_finite, np.inf, FP32) == 1
    assert formats.ulp_distance(np.nan, np.nan, FP32) == 0
    assert formats.ulp_distance(np.nan, 1.0, FP32) == np.inf


def test_ulp_error_is_measured_at_the_exact_value() -> None:
    assert formats.ulp_error(1 + 2.0**-24, 1.0, FP32) == 0.5
    assert formats.ulp_error(np.inf, np.inf, FP32) == 0
    assert formats.ulp_error(np.inf, 1.0, FP32) == np.inf
    assert formats.ulp_error(np.nan, 1.0, FP32) == np.inf
    assert formats.ulp_error(np.nan, np.nan, FP32) == 0


def test_wide_formats_are_their_bits() -> None:
    x = np.array([1.5, -0.0, 5e-324, 1e308])
    np.testing.assert_array_equal(encode(x, FP64), x.view(np.uint64))
    np.testing.assert_array_equal(decode(x.view(np.uint64), FP64), x)
    y = x[:2].astype(np.float32)
    np.testing.assert_array_equal(encode(y, FP32), y.view(np.uint32))


def test_wrong_codes_are_refused_with_their_value() -> None:
    with pytest.raises(ValueError, match=r"float4_e2m1fn: 16 does not fit 4 bits"):
        decode(np.array([3, 16], dtype=np.uint8), formats.E2M1)
    with pytest.raises(TypeError, match="float64 is not an integer"):
        decode(np.array([1.0]), FP16)
    with pytest.raises(TypeError, match="int32 is none of the formats"):
        formats.format_of(np.zeros(1, dtype=np.int32))
    with pytest.raises(ValueError, match="at most 32 bits"):
        formats.ordered(1.0, FP64)


def test_format_of_an_array() -> None:
    assert formats.format_of(np.zeros(1, dtype=ml_dtypes.bfloat16)) == BF16
    assert formats.format_of(np.dtype("float16")) == FP16
