"""Float functions against the double ones, which test_double_accuracy judges: one rounding more."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hipaudit import toolchain

Probes = Any  # conftest's: with importlib mode there is no module to import the class from

LIMITS = json.loads((toolchain.NATIVE / "math_ulp.json").read_text())["functions"]
RANDOM = np.random.default_rng(11)
BINARY = ["pow", "atan2", "hypot", "rhypot"]
SEVERAL = {*BINARY, "jn", "yn", "powi", "norm", "rnorm", "norm3d", "norm4d", "rnorm3d", "rnorm4d"}
UNARY = sorted(
    name
    for name in LIMITS
    if f"{name}f" in LIMITS and name not in SEVERAL and not name.startswith("fast_")
)
SLOW = {"cyl_bessel_i0", "cyl_bessel_i1", "j0", "j1", "y0", "y1"}
FAST = ["exp", "exp10", "log", "log2", "log10", "sin", "cos", "tan"]
SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 10, 1000, 0.75, 1.5, 2.5,
     1e-45, -1e-45, 1.17549435e-38, 1.1754942e-38, 3.4028235e38, -3.4028235e38, 0.99999994, 171,
     1.0000001, 88.72283, 88.722839, -103.97207, -103.97209, -87.33655, 128, 127.99999, -149, -150,
     -150.00002, 38.53184, -45.154, 9.01, 3.1415927, 1.5707964, 0.7853982, 6.2831855, 2**24, 2**28],
    dtype=np.float32,
)  # fmt: skip


def inputs(count: int) -> np.ndarray:
    """Special values, random bit patterns, and values where the functions are used most."""
    bits = RANDOM.integers(0, 1 << 32, count, dtype=np.uint32).view(np.float32)
    ranges = [RANDOM.uniform(-size, size, count).astype(np.float32) for size in (1, 10, 100)]
    with np.errstate(invalid="ignore"):
        return np.concatenate([SPECIAL, bits[~np.isnan(bits)], *ranges])


def ulp_of(value: np.ndarray) -> np.ndarray:
    """Ulp of float at each double value, gradual underflow included."""
    _, exponent = np.frexp(np.where(np.isfinite(value), value, 1.0))
    unit: np.ndarray = np.ldexp(1.0, np.maximum(exponent - 24, -149))
    return unit


def worst_ulp(got: np.ndarray, exact: np.ndarray) -> float:
    """The largest error in ulp; raises AssertionError where NaN, infinity or a sign is wrong."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = exact.astype(np.float32)
    assert np.array_equal(np.isnan(got), np.isnan(exact))
    number = ~np.isnan(got)
    assert np.array_equal(np.signbit(got[number]), np.signbit(exact[number]))
    assert np.array_equal(np.isinf(got), np.isinf(rounded))
    finite = np.isfinite(got)
    error = np.abs(got[finite].astype(np.float64) - exact[finite]) / ulp_of(exact[finite])
    return float(error.max())


@pytest.mark.parametrize("name", UNARY)
def test_one_argument(math: Probes, name: str) -> None:
    x = inputs(1000 if name in SLOW else 40_000)
    exact = math(name, np.float64, x.astype(np.float64))
    limit = LIMITS[f"{name}f"]["ours"]
    assert worst_ulp(math(f"{name}f", np.float32, x), exact) <= limit


@pytest.mark.parametrize("name", FAST)
def test_fast_intrinsics_are_as_good(math: Probes, name: str) -> None:
    x = inputs(20_000)
    assert np.array_equal(
        math(f"__{name}f", np.float32, x), math(f"{name}f", np.float32, x), equal_nan=True
    )


@pytest.mark.parametrize("name", BINARY)
def test_two_arguments(math: Probes, name: str) -> None:
    drawn = inputs(10_000)
    x = np.concatenate([np.repeat(SPECIAL, len(SPECIAL)), drawn])
    y = np.concatenate([np.tile(SPECIAL, len(SPECIAL)), RANDOM.permutation(drawn)])
    exact = math(name, np.float64, x.astype(np.float64), y.astype(np.float64))
    assert worst_ulp(math(f"{name}f", np.float32, x, y), exact) <= LIMITS[f"{name}f"]["ours"]


def test_sincosf_is_sinf_and_cosf(math: Probes) -> None:
    x = inputs(10_000)
    sine, cosine = math.several("sincosf", (np.float32, np.float32), x)
    assert np.array_equal(sine, math("sinf", np.float32, x), equal_nan=True)
    assert np.array_equal(cosine, math("cosf", np.float32, x), equal_nan=True)


def test_powers_and_tens_are_exact(math: Probes) -> None:
    whole = np.arange(-149, 128, dtype=np.float32)
    powers = np.ldexp(np.float32(1), whole.astype(int))
    assert np.array_equal(math("exp2f", np.float32, whole), powers)
    assert np.array_equal(math("log2f", np.float32, powers), whole)
    tens = np.arange(11, dtype=np.float32)
    assert np.array_equal(math("exp10f", np.float32, tens), np.float32(10) ** tens)
    assert np.array_equal(math("log10f", np.float32, np.float32(10) ** tens), tens)


def test_int_powers(math: Probes) -> None:
    x = np.array([2, -2, 0.5, 10, -3, 0, np.inf, 1.5], dtype=np.float32).repeat(9)
    n = np.tile(np.arange(-4, 5, dtype=np.int32), 8)
    with np.errstate(divide="ignore"):
        expected = np.power(x.astype(np.float64), n).astype(np.float32)
    assert np.array_equal(math("powif", np.float32, x, n), expected)
