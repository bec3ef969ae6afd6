"""Microscaling: fp4, both fp6 and the scale E8M0 against ml_dtypes; every code, every midpoint."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

Probes = Any
RANDOM = np.random.default_rng(25)


@dataclasses.dataclass(frozen=True, slots=True)
class Element:
    """An element format: its name in HIP, its type in ml_dtypes, bits a code, codes a byte."""

    name: str
    dtype: Any
    bits: int
    a_byte: int

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Every code."""
        return np.arange(1 << self.bits, dtype=np.uint8)

    @property
    def values(self) -> NDArray[np.float32]:
        """What each code stands for."""
        return np.asarray(self.codes.view(self.dtype).astype(np.float32))

    def of(self, floats: NDArray[Any]) -> NDArray[np.uint8]:
        """Codes of floats, rounded once and saturated."""
        largest = float(self.values.max())
        return np.asarray(np.clip(floats, -largest, largest).astype(self.dtype).view(np.uint8))

    def hard_floats(self) -> NDArray[np.float32]:
        """Every value, the midpoints between, a float beside each, the ends, random floats."""
        finite = np.unique(self.values)
        middle = (finite[1:] + finite[:-1]) / 2
        exact = np.concatenate([self.values, middle, finite * 1.1]).astype(np.float32)
        near = [np.nextafter(exact, np.float32(side)) for side in (-np.inf, np.inf)]
        random = RANDOM.normal(0, finite[-1] / 2, 20_000).astype(np.float32)
        tiny = np.array([1e-30, -1e-30, 1e-45, 1e30, -1e30, np.inf, -np.inf], dtype=np.float32)
        return np.concatenate([exact, *near, random, tiny])


ELEMENTS = [
    Element("e2m1", ml_dtypes.float4_e2m1fn, 4, 2),
    Element("e2m3", ml_dtypes.float6_e2m3fn, 6, 1),
    Element("e3m2", ml_dtypes.float6_e3m2fn, 6, 1),
]


@pytest.fixture(params=ELEMENTS, ids=lambda element: element.name)
def element(request: pytest.FixtureRequest) -> Element:
    chosen: Element = request.param
    return chosen


def test_every_code_widens_and_comes_back(mx: Probes, element: Element) -> None:
    codes, values = element.codes, element.values
    assert mx.same(mx(f"{element.name}_widen", np.float32, codes), values)
    assert mx.same(mx(f"{element.name}_half", np.float16, codes), values.astype(np.float16))
    assert mx.same(mx(f"{element.name}_call_widen", np.float16, codes), values.astype(np.float16))
    bfloats = values.astype(ml_dtypes.bfloat16)
    assert mx.same(mx(f"{element.name}_bfloat", ml_dtypes.bfloat16, codes), bfloats)
    assert np.array_equal(mx(f"{element.name}_from_float", np.uint8, values), codes)


def test_float_rounds_once_and_saturates(mx: Probes, element: Element) -> None:
    floats = element.hard_floats()
    for probe in ("from_float", "call"):
        got = mx(f"{element.name}_{probe}", np.uint8, floats)
        assert np.array_equal(got, element.of(floats)), probe
    with np.errstate(over="ignore"):
        halves = floats.astype(np.float16)
    got = mx(f"{element.name}_call_half", np.uint8, halves)
    assert np.array_equal(got, element.of(halves.astype(np.float32)))
    finite = np.unique(element.values).astype(np.float64)
    middle = (finite[1:] + finite[:-1]) / 2
    trace = np.concatenate([middle * (1 + 2.0**-40), middle * (1 - 2.0**-40)])
    shown = np.concatenate([middle * (1 + 2.0**-20), middle * (1 - 2.0**-20)])
    got = mx(f"{element.name}_from_double", np.uint8, trace)
    assert np.array_equal(got, element.of(shown.astype(np.float32)))
    ints = np.array([0, 1, -3, 5, 7, 100, -(2**31)], dtype=np.int32)
    got = mx(f"{element.name}_from_int", np.uint8, ints)
    assert np.array_equal(got, element.of(ints.astype(np.float32)))


def test_nan_becomes_the_largest(mx: Probes, element: Element) -> None:
    nan = np.array([np.nan, -np.nan], dtype=np.float32)
    largest = (1 << (element.bits - 1)) - 1
    got = mx(f"{element.name}_from_float", np.uint8, nan)
    assert list(got) == [largest, largest | (1 << (element.bits - 1))]


def test_packed_forms_hold_the_first_element_low(mx: Probes, element: Element) -> None:
    floats = RANDOM.normal(0, 3, 4000).astype(np.float32)
    codes = element.of(floats)
    bytes_ = codes[0::2] | (codes[1::2] << 4) if element.a_byte == 2 else codes
    two_type, four_type = (np.uint8, np.uint16) if element.a_byte == 2 else (np.uint16, np.uint32)
    two = mx(f"{element.name}_two", two_type, floats.view(np.uint64))
    assert np.array_equal(two.view(np.uint8), bytes_)
    wide = np.dtype((np.void, 16))
    four = mx(f"{element.name}_four", four_type, floats.view(wide))
    assert np.array_equal(four.view(np.uint8), bytes_)
    values = codes.view(element.dtype).astype(np.float32)
    back = mx(f"{element.name}_two_widen", np.uint64, two).view(np.float32)
    assert np.array_equal(back, values)
    back = mx(f"{element.name}_four_widen", wide, four).view(np.float32)
    assert np.array_equal(back, values)


def test_every_scale(fp8: Probes) -> None:
    codes = np.arange(256, dtype=np.uint8)
    expected = codes.view(ml_dtypes.float8_e8m0fnu).astype(np.float32)
    assert fp8.same(fp8("e8m0_widen", np.float32, codes), expected)
    bfloats = expected.astype(ml_dtypes.bfloat16)
    assert fp8.same(fp8("e8m0_bfloat", ml_dtypes.bfloat16, codes), bfloats)
    for probe in ("e8m0_down", "e8m0_up", "e8m0_class"):
        assert np.array_equal(fp8(probe, np.uint8, expected), codes), probe
    whole = np.clip(np.nan_to_num(np.trunc(expected.astype(np.float64))), 0, 2**31 - 1)
    assert np.array_equal(fp8("e8m0_to_int", np.int32, codes), whole.astype(np.int32))


def test_scales_round_down_or_up(fp8: Probes) -> None:
    random = RANDOM.integers(0, 1 << 32, 20_000, dtype=np.uint32).view(np.float32)
    powers = np.ldexp(1.0, np.arange(-149, 128)).astype(np.float32)
    near = [np.nextafter(powers, np.float32(side)) for side in (0, np.inf)]
    floats = np.concatenate([random, powers, *near])
    floats = floats[np.isfinite(floats) & (floats != 0)]
    fraction, exponent = np.frexp(np.abs(floats.astype(np.float64)))
    down = np.clip(exponent - 1 + 127, 0, 255)
    up = np.clip(exponent - (fraction == 0.5) + 127, 0, 255)
    assert np.array_equal(fp8("e8m0_down", np.uint8, floats), down)
    assert np.array_equal(fp8("e8m0_up", np.uint8, floats), up)
    assert np.array_equal(fp8("e8m0_up_saturated", np.uint8, floats), np.minimum(up, 254))
    trace = powers[23:].astype(np.float64) * (1 + 2.0**-50)
    assert np.array_equal(
        fp8("e8m0_double_up", np.uint8, trace), np.clip(np.arange(-126, 128) + 128, 0, 255)
    )


def test_scales_of_special_values(fp8: Probes) -> None:
    floats = np.array([0, -0.0, np.inf, -np.inf, np.nan], dtype=np.float32)
    assert list(fp8("e8m0_up", np.uint8, floats)) == [0, 0, 255, 255, 255]
    assert list(fp8("e8m0_up_saturated", np.uint8, floats)) == [0, 0, 254, 254, 255]
    doubles = np.array([1e300, 2.0**127, 1e-300], dtype=np.float64)
    assert list(fp8("e8m0_double_up", np.uint8, doubles)) == [255, 254, 0]
    longs = np.array([1, 3, (1 << 40) - 1, 1 << 40], dtype=np.int64)
    assert list(fp8("e8m0_from_long", np.uint8, longs)) == [127, 129, 167, 167]
