"""Rounding, remainders, minima and the representation, against numpy; AMD's instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

Probes = Any  # conftest's: with importlib mode there is no module to import the class from

RANDOM = np.random.default_rng(9)
EDGES = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, 2.5, -2.5, 1.0, -1.0, 5e-324, 2.2e-308,
     -2.3e-308, 1.7e308, 4503599627370497.5, 0.49999999999999994]
)  # fmt: skip
SCALES = np.exp2(RANDOM.integers(-999, 999, 500))
WIDE = np.concatenate([EDGES, RANDOM.uniform(-9, 9, 500), RANDOM.normal(size=500) * SCALES])
OTHER = RANDOM.permutation(WIDE)
FLOATS = np.array(
    [0, -0.0, 1.5, -2.5, 1e-45, 3e38, np.inf, 0.75, 1.17e-38, -7, 100], dtype=np.float32
)


def same(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal values with equal signs, any NaN for any."""
    number = ~np.isnan(expected)
    return (
        np.array_equal(np.isnan(got), ~number)
        and np.array_equal(got[number], expected[number])
        and np.array_equal(np.signbit(got[number]), np.signbit(expected[number]))
    )


@pytest.mark.parametrize("name", ["fabs", "floor", "ceil", "trunc", "rint", "nearbyint"])
@pytest.mark.parametrize("suffix", ["", "f"])
def test_rounding(math: Probes, name: str, suffix: str) -> None:
    kind = np.float32 if suffix else np.float64
    with np.errstate(over="ignore"):
        x = WIDE.astype(kind)
    twin = {"nearbyint": np.rint}.get(name) or getattr(np, name)
    assert same(math(name + suffix, kind, x), twin(x))


@pytest.mark.parametrize(
    ("name", "twin"),
    [("fmod", np.fmod), ("copysign", np.copysign), ("nextafter", np.nextafter), ("fdim", None)],
)
def test_pairs(math: Probes, name: str, twin: Any) -> None:
    with np.errstate(all="ignore"):
        if twin is None:
            expected = np.where(WIDE > OTHER, WIDE - OTHER, 0.0)
            expected[np.isnan(WIDE) | np.isnan(OTHER)] = np.nan
        else:
            expected = twin(WIDE, OTHER)
    assert same(math(name, np.float64, WIDE, OTHER), expected)


def test_minimum_and_maximum_prefer_numbers_and_order_zeros(math: Probes) -> None:
    x = np.array([np.nan, 1.0, np.nan, -0.0, 0.0, 2.0, -np.inf])
    y = np.array([1.0, np.nan, np.nan, 0.0, -0.0, 3.0, np.inf])
    low = np.array([1.0, 1.0, np.nan, -0.0, -0.0, 2.0, -np.inf])
    high = np.array([1.0, 1.0, np.nan, 0.0, 0.0, 3.0, np.inf])
    for suffix, kind in (("", np.float64), ("f", np.float32)):
        arguments = (x.astype(kind), y.astype(kind))
        assert same(math(f"fmin{suffix}", kind, *arguments), low.astype(kind))
        assert same(math(f"fmax{suffix}", kind, *arguments), high.astype(kind))


def test_remainder_and_its_quotient(math: Probes) -> None:
    x = np.array([5.0, 7.0, -7.0, 3.0, 1e300, 5.5, 0.3, -0.0, 9.0])
    y = np.array([3.0, 2.0, 2.0, -2.0, 3.0, 1.0, np.inf, 1.0, 6.0])
    rest, quotient = math.several("remquo", (np.float64, np.int32), x, y)
    rest_of_three = int(1e300) % 3
    expected = np.array(
        [-1.0, -1.0, 1.0, -1.0, rest_of_three - 3 * (rest_of_three > 1), -0.5, 0.3, -0.0, -3.0]
    )
    assert same(rest, expected)
    assert same(math("remainder", np.float64, x, y), expected)
    assert np.delete(quotient, 4).tolist() == [2, 4, -4, -2, 6, 0, 0, 2]
    assert np.isnan(math("remainder", np.float64, np.array([1.0, np.inf]), np.zeros(2))).all()


def test_fma_rounds_once(math: Probes) -> None:
    x, y = RANDOM.normal(size=500), RANDOM.normal(size=500)
    error = math("fma", np.float64, x, y, -(x * y))
    high = math("fma", np.float64, x, y, np.zeros(500))
    assert np.array_equal(high, x * y)
    assert (np.abs(error) <= np.spacing(np.abs(x * y))).all()
    assert (error != 0).any()


@pytest.mark.parametrize(("suffix", "kind"), [("", np.float64), ("f", np.float32)])
def test_exponents(math: Probes, suffix: str, kind: type[np.floating[Any]]) -> None:
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([WIDE[np.isfinite(WIDE)].astype(kind), np.array([np.inf, np.nan], kind)])
    mantissa, exponent = math.several(f"frexp{suffix}", (kind, np.int32), x)
    finite = np.isfinite(x)
    expected_mantissa, expected_exponent = np.frexp(x)
    assert same(mantissa, expected_mantissa)
    assert np.array_equal(exponent[finite], expected_exponent[finite])
    steps = RANDOM.integers(-1100, 1100, len(x), dtype=np.int32)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.ldexp(x, steps)
    assert same(math(f"ldexp{suffix}", kind, x, steps), expected)
    normal = finite & (x != 0)
    ilogb = math(f"ilogb{suffix}", np.int32, x)
    assert np.array_equal(ilogb[normal], expected_exponent[normal] - 1)
    assert same(
        math(f"logb{suffix}", kind, x[normal]), (expected_exponent[normal] - 1).astype(kind)
    )


def test_modf(math: Probes) -> None:
    rest, whole = math.several("modf", (np.float64, np.float64), WIDE)
    expected_rest, expected_whole = np.modf(WIDE)
    assert same(rest, expected_rest)
    assert same(whole, expected_whole)


def test_to_long(math: Probes) -> None:
    x = np.array([0.5, 1.5, -2.5, 1e30, -1e30, np.nan, 0.49999997], dtype=np.float32)
    top, bottom = 2**63 - 1, -(2**63)
    assert math("lroundf", np.int64, x).tolist() == [1, 2, -3, top, bottom, 0, 0]
    assert math("llrint", np.int64, x.astype(np.float64)).tolist() == [0, 2, -2, top, bottom, 0, 0]


def test_classification(math: Probes) -> None:
    for name, twin in (("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite)):
        assert np.array_equal(math(name, np.bool_, WIDE), twin(WIDE))
    assert np.array_equal(math("signbit", np.bool_, FLOATS), np.signbit(FLOATS))
    clamped = math("saturatef", np.float32, np.append(FLOATS, np.float32(np.nan)))
    assert np.array_equal(clamped, np.append(np.clip(FLOATS, 0, 1), 0).astype(np.float32))


def test_norm_of_many(math: Probes) -> None:
    x = RANDOM.uniform(-9, 9, 4) * 1e200
    got = math("norm", np.float64, x)[0]
    assert abs(got - 1e200 * np.linalg.norm(x / 1e200)) <= 4 * np.spacing(got)


def test_amd_instructions(math: Probes) -> None:
    def f32(*values: float) -> np.ndarray:
        return np.array(values, dtype=np.float32)

    def call(name: str, out: type[np.generic], *inputs: np.ndarray) -> np.ndarray:
        result: np.ndarray = math(f"__builtin_amdgcn_{name}", out, *inputs)
        return result

    with np.errstate(divide="ignore", over="ignore"):
        assert same(call("rcpf", np.float32, FLOATS), np.float32(1) / FLOATS)
    assert call("logf", np.float32, f32(8, 1, 0.5)).tolist() == [3, 0, -1]
    turns = f32(0.25, 0.5, 100.75, -0.25, 0.0)
    assert call("sinf", np.float32, turns).tolist() == [1, 0, -1, -1, 0]
    fractions = f32(1.25, -0.25, -1e-10, 3e38, np.inf)
    below_one = float(np.float32(1 - 2**-24))
    assert call("fractf", np.float32, fractions).tolist() == [0.25, 0.75, below_one, 0, 0]
    median = call("fmed3f", np.float32, f32(1, 5, 9), f32(5, 9, 1), f32(9, 1, 5))
    assert median.tolist() == [5, 5, 5]
    x = f32(8, 0.75, -3, 1e-45, 0, np.inf)
    mantissa, exponent = np.frexp(x)
    assert same(call("frexp_mantf", np.float32, x), mantissa)
    assert call("frexp_expf", np.int32, x).tolist() == [*exponent[:5].tolist(), 0]
    start = np.array([4, 28, 0, 31], dtype=np.uint32)
    width = np.array([8, 8, 0, 1], dtype=np.uint32)
    words = np.array([0x00000F80, -1, 5, -(2**31)], dtype=np.int32)
    assert call("sbfe", np.int32, words, start, width).tolist() == [-8, -1, 0, -1]


def test_packed_halves(math: Probes) -> None:
    x = np.array([1.0, 1.0009, -1.0009, 65519.0, 1e30, 6e-8, -2.9e-8, np.inf], dtype=np.float32)
    packed = math("cvt_pkrtz", np.uint32, x, -x).view(np.uint16).reshape(-1, 2).view(np.float16)
    expected = [1.0, 1.0, -1.0, 65504.0, 65504.0, 2.0**-24, -0.0, np.inf]
    assert packed[:, 0].tolist() == expected
    assert packed[:, 1].tolist() == [-value for value in expected]
    a = np.array([[1.5, 2.0], [65504.0, -1.0]], dtype=np.float16).view(np.uint32).ravel()
    b = np.array([[4.0, 0.5], [65504.0, 2.0]], dtype=np.float16).view(np.uint32).ravel()
    c = np.array([0.25, 1.0], dtype=np.float32)
    assert math("fdot2", np.float32, a, b, c).tolist() == [7.25, float(np.float32(65504.0**2 - 1))]
