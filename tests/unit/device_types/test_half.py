"""__half: every code both ways, roundings at halfway points, integers in four roundings."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

# Attributes of another conftest fixture are untyped here: with importlib mode there is no module
# to import its class from.
Probes = Any

CODES = np.arange(1 << 16, dtype=np.uint16)
HALVES = CODES.view(np.float16)
FINITE = HALVES[np.isfinite(HALVES)]
RANDOM = np.random.default_rng(20)


def hard_floats() -> np.ndarray:
    """Every half, the midpoints between neighbours, a float beside each, and random floats."""
    ordered = np.sort(FINITE).astype(np.float32)
    middle = (ordered[1:] + ordered[:-1]) / 2
    exact = np.concatenate([ordered, middle, [65520.0, -65520.0, 1e38, -1e38, np.inf, -np.inf]])
    exact = exact.astype(np.float32)
    near = [np.nextafter(exact, np.float32(side)) for side in (-np.inf, np.inf)]
    bits = RANDOM.integers(0, 1 << 32, 200_000, dtype=np.uint32).view(np.float32)
    return np.concatenate([exact, *near, bits[~np.isnan(bits)]])


FLOATS = hard_floats()


def rounded(exact: np.ndarray, direction: float) -> np.ndarray:
    """`exact` as halves, rounded towards minus or plus infinity."""
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float16)
    wide = nearest.astype(np.float64)
    wrong = wide > exact if direction < 0 else wide < exact
    with np.errstate(over="ignore", under="ignore"):
        return np.where(wrong, np.nextafter(nearest, np.float16(direction)), nearest)


def test_every_code_widens_exactly_and_comes_back(half: Probes) -> None:
    wide = half("widen", np.float32, HALVES)
    assert half.same(wide, HALVES.astype(np.float32))
    assert half.same(half("nearest", np.float16, wide), HALVES)
    assert np.array_equal(half("bits", np.uint16, HALVES), CODES)
    assert np.array_equal(half("from_bits", np.float16, CODES).view(np.uint16), CODES)


@pytest.mark.parametrize("probe", ["nearest", "from_float"])
def test_float_rounds_to_nearest_even(half: Probes, probe: str) -> None:
    with np.errstate(over="ignore"):
        assert half.same(half(probe, np.float16, FLOATS), FLOATS.astype(np.float16))


def test_float_rounds_in_the_direction_asked_for(half: Probes) -> None:
    exact = FLOATS.astype(np.float64)
    down, up = rounded(exact, -np.inf), rounded(exact, np.inf)
    assert half.same(half("downward", np.float16, FLOATS), down)
    assert half.same(half("upward", np.float16, FLOATS), up)
    assert half.same(half("toward_zero", np.float16, FLOATS), np.where(exact < 0, up, down))


@pytest.mark.parametrize("probe", ["from_double", "assign_double"])
def test_double_rounds_once_not_through_float(half: Probes, probe: str) -> None:
    tie = FLOATS[np.isfinite(FLOATS) & (np.abs(FLOATS) < 65504)].astype(np.float64)
    doubles = np.concatenate([tie * (1 + 2.0**-40), tie * (1 - 2.0**-40), [1e300, -1e300, 1e-300]])
    with np.errstate(over="ignore"):
        expected = doubles.astype(np.float16)
        twice = doubles.astype(np.float32).astype(np.float16)
    assert not half.same(expected, twice)
    assert half.same(half(probe, np.float16, doubles), expected)


@dataclasses.dataclass(frozen=True, slots=True)
class IntegerForm:
    """An integer type of the conversion functions, as they spell it."""

    name: str
    dtype: type[np.integer[Any]]


INTEGERS = [
    IntegerForm("short", np.int16),
    IntegerForm("ushort", np.uint16),
    IntegerForm("int", np.int32),
    IntegerForm("uint", np.uint32),
    IntegerForm("ll", np.int64),
    IntegerForm("ull", np.uint64),
]
TO_INTEGRAL = {"rn": np.rint, "rz": np.trunc, "rd": np.floor, "ru": np.ceil}


@pytest.mark.parametrize("form", INTEGERS, ids=lambda form: form.name)
@pytest.mark.parametrize("rounding", TO_INTEGRAL)
def test_to_integer_rounds_and_saturates(half: Probes, form: IntegerForm, rounding: str) -> None:
    limits = np.iinfo(form.dtype)
    with np.errstate(invalid="ignore"):
        integral = TO_INTEGRAL[rounding](HALVES.astype(np.float64))
    expected = [
        0 if np.isnan(x) else limits.max if x == np.inf else limits.min if x == -np.inf
        else min(max(int(x), limits.min), limits.max)
        for x in integral
    ]  # fmt: skip
    got = half(f"{form.name}_{rounding}", form.dtype, HALVES)
    assert np.array_equal(got, np.array(expected, dtype=form.dtype))


@pytest.mark.parametrize("form", INTEGERS, ids=lambda form: form.name)
def test_from_integer_rounds(half: Probes, form: IntegerForm) -> None:
    limits = np.iinfo(form.dtype)
    small = np.arange(max(limits.min, -70_000), min(limits.max, 70_000) + 1, dtype=form.dtype)
    large = RANDOM.integers(limits.min, limits.max, 1000, dtype=form.dtype, endpoint=True)
    values = np.concatenate([small, large, np.array([limits.min, limits.max], dtype=form.dtype)])
    exact = values.astype(np.float64)
    down, up = rounded(exact, -np.inf), rounded(exact, np.inf)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float16)
    expected = {"rn": nearest, "rd": down, "ru": up, "rz": np.where(exact < 0, up, down)}
    for rounding, halves in expected.items():
        assert half.same(half(f"from_{form.name}_{rounding}", np.float16, values), halves), rounding


def test_conversions_of_the_class(half: Probes) -> None:
    ints = np.array([0, 1, -1, 2049, 2051, 65519, 65520, -70000, 2**31 - 1], dtype=np.int32)
    with np.errstate(over="ignore"):
        assert half.same(half("from_int", np.float16, ints), ints.astype(np.float16))
    longs = np.array([2**40, -(2**62), 4097], dtype=np.int64)
    with np.errstate(over="ignore"):
        assert half.same(half("from_long_long", np.float16, longs), longs.astype(np.float16))
    assert np.array_equal(half("to_int", np.int32, FINITE), np.trunc(FINITE).astype(np.int32))
    assert np.array_equal(half("to_bool", np.bool_, FINITE), FINITE != 0)


def test_halves_of_a_pair(half: Probes) -> None:
    a, b = RANDOM.integers(0, 1 << 16, (2, 1000)).astype(np.uint16).view(np.float16)
    joined = half("join", np.uint32, a, b)
    assert half.same(half("low", np.float16, joined), a)
    assert half.same(half("high", np.float16, joined), b)
    assert np.array_equal(half("lows", np.uint32, joined, joined), half("join", np.uint32, a, a))
    assert np.array_equal(half("highs", np.uint32, joined, joined), half("join", np.uint32, b, b))


def test_native_float16_rounds_each_operation(half: Probes) -> None:
    a = RANDOM.uniform(-4, 4, 50_000).astype(np.float16)
    assert half.same(half("native", np.float16, a), a * a + a)


def test_mixed_dot_accumulates_in_float(half: Probes) -> None:
    a, b = (RANDOM.integers(-256, 257, 4000).astype(np.float16) / 4 for _ in range(2))
    products = (a.astype(np.float64) * b).reshape(-1, 2).sum(axis=1) + 0.5
    got = half("mixed_dot", np.float32, a.view(np.uint32), b.view(np.uint32))
    assert np.array_equal(got, products.astype(np.float32))
