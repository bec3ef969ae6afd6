"""Double functions against mpmath at 50 digits, within the limits that math_ulp.json documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from hipaudit import toolchain

Probes = Any  # conftest's: with importlib mode there is no module to import the class from
Oracle = Callable[..., Any]

LIMITS = json.loads((toolchain.NATIVE / "math_ulp.json").read_text())["functions"]
COUNT = 1000
SLOW_COUNT = 200
RANDOM = np.random.default_rng(7)


def uniform(low: float, high: float, count: int = COUNT) -> np.ndarray:
    return RANDOM.uniform(low, high, count)


def spread(low: float, high: float, count: int = COUNT, *, signed: bool = True) -> np.ndarray:
    """Values whose logarithm is uniform, so that every binade is met."""
    values = np.exp2(RANDOM.uniform(np.log2(low), np.log2(high), count))
    return values * RANDOM.choice([-1.0, 1.0], count) if signed else values


def join(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


ANY = join(spread(1e-300, 1e300), uniform(-10, 10))
POSITIVE = join(spread(1e-320, 1e308, signed=False), uniform(0.5, 2), uniform(0.99, 1.01))
MARKS = np.array([np.pi / 4, np.pi / 2, np.pi, 1e22, 2.0**30])
ANGLES = join(spread(1e-20, 1e300), uniform(-10, 10), MARKS)
UNIT = join(uniform(-1, 1), spread(1e-20, 1), 1 - spread(1e-16, 1e-2, signed=False))
NEAR_ZERO = join(uniform(-0.1, 0.1, 80), spread(1e-20, 1, 80))
SLOW_SPREAD = spread(1e-300, 1, SLOW_COUNT)


def real_cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def erfcx(x: Any) -> Any:
    return mp.exp(x * x) * mp.erfc(x)


def erfc_inverse(q: Any) -> Any:
    """Newton on ln erfc from a first value by the leading term; mpmath itself has erfinv only."""
    if q > mpf(1) / 2:
        return mp.erfinv(1 - q) if q < mpf(3) / 2 else -erfc_inverse(2 - q)
    y = mp.sqrt(-mp.log(q)) - mpf(1) / 8
    for _ in range(9):
        y += (mp.log(mp.erfc(y)) - mp.log(q)) * mp.erfc(y) * mp.exp(y * y) * mp.sqrt(mp.pi) / 2
    return y


def log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x))) if x < 50 else mp.loggamma(x)


UNARY: dict[str, tuple[Oracle, np.ndarray]] = {
    "exp": (mp.exp, join(uniform(-745, 709.7), NEAR_ZERO)),
    "exp2": (lambda x: mp.power(2, x), join(uniform(-1074, 1023.9), NEAR_ZERO)),
    "exp10": (lambda x: mp.power(10, x), join(uniform(-323, 308), NEAR_ZERO)),
    "expm1": (mp.expm1, join(uniform(-40, 709), uniform(-1, 1), NEAR_ZERO)),
    "sinh": (mp.sinh, join(uniform(-710, 710), uniform(-1, 1), NEAR_ZERO)),
    "cosh": (mp.cosh, join(uniform(-710, 710), uniform(-1, 1))),
    "tanh": (mp.tanh, join(uniform(-22, 22), uniform(-1, 1), NEAR_ZERO)),
    "log": (mp.log, POSITIVE),
    "log2": (lambda x: mp.log(x, 2), POSITIVE),
    "log10": (mp.log10, POSITIVE),
    "log1p": (mp.log1p, join(POSITIVE, uniform(-0.999, 2), NEAR_ZERO)),
    "sqrt": (mp.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE),
    "cbrt": (real_cbrt, ANY),
    "rcbrt": (lambda x: 1 / real_cbrt(x), ANY),
    "asinh": (mp.asinh, ANY),
    "acosh": (mp.acosh, join(spread(1, 1e300, signed=False), uniform(1, 1.001))),
    "atanh": (mp.atanh, UNIT),
    "sin": (mp.sin, ANGLES),
    "cos": (mp.cos, ANGLES),
    "tan": (mp.tan, ANGLES),
    "sinpi": (mp.sinpi, join(uniform(-10, 10), spread(1e-20, 1e15))),
    "cospi": (mp.cospi, join(uniform(-10, 10), spread(1e-20, 1e15))),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, ANY),
    "erf": (mp.erf, join(uniform(-6, 6), uniform(-1, 1), spread(1e-320, 1, 80))),
    "erfc": (mp.erfc, join(uniform(-6, 27.2), uniform(-1, 1))),
    "erfcx": (erfcx, join(uniform(-26, 30), uniform(-1, 1))),
    "normcdf": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, join(uniform(-38.4, 8), uniform(-1, 1))),
    "erfinv": (lambda x: mp.sign(x) * erfc_inverse(1 - abs(x)), UNIT[::8]),
    "erfcinv": (erfc_inverse, join(uniform(0, 2, SLOW_COUNT), abs(SLOW_SPREAD))),
    "normcdfinv": (
        lambda p: -mp.sqrt(2) * erfc_inverse(2 * p),
        join(uniform(0, 1, SLOW_COUNT), abs(SLOW_SPREAD) / 2),
    ),
    "tgamma": (mp.gamma, join(uniform(-170, 171.6), uniform(-3, 5), SLOW_SPREAD)),
    "lgamma": (
        log_gamma,
        join(uniform(0, 60), uniform(0.7, 2.3), spread(1e-300, 1e300, SLOW_COUNT, signed=False)),
    ),
    "cyl_bessel_i0": (lambda x: mp.besseli(0, x), uniform(-700, 700, SLOW_COUNT)),
    "cyl_bessel_i1": (lambda x: mp.besseli(1, x), uniform(-40, 40, SLOW_COUNT)),
    "j0": (lambda x: mp.besselj(0, x), join(uniform(-25, 25, SLOW_COUNT), spread(1e-9, 1, 16))),
    "j1": (lambda x: mp.besselj(1, x), join(uniform(-25, 25, SLOW_COUNT), spread(1e-9, 1, 16))),
    "y0": (lambda x: mp.bessely(0, x), abs(uniform(0, 25, SLOW_COUNT))),
    "y1": (lambda x: mp.bessely(1, x), abs(uniform(0, 25, SLOW_COUNT))),
}


def unit_of(value: Any) -> Any:
    """ulp(value) of double, gradual underflow included."""
    exponent = int(mp.floor(mp.log(abs(value), 2))) if value else -1074
    return mpf(2) ** max(exponent - 52, -1074)


def worst_ulp(
    got: np.ndarray, oracle: Oracle, *inputs: np.ndarray, envelope: Oracle | None = None
) -> tuple[float, list[float]]:
    """The largest error in ulp, and where: of max(exact, envelope) where there is an envelope."""
    worst, where = mpf(0), [float("nan")]
    for result, *arguments in zip(got.tolist(), *(each.tolist() for each in inputs), strict=True):
        exact = oracle(*map(mpf, arguments))
        size = max(abs(exact), envelope(mpf(arguments[-1]))) if envelope else exact
        error = abs(mpf(result) - exact) / unit_of(size)
        if not error <= worst:
            worst, where = error, arguments
    return float(worst), where


@pytest.fixture(autouse=True)
def digits() -> Any:
    with mp.workdps(50):
        yield


@pytest.mark.parametrize("name", sorted(UNARY))
def test_one_argument(math: Probes, name: str) -> None:
    oracle, inputs = UNARY[name]
    worst, where = worst_ulp(math(name, np.float64, inputs), oracle, inputs)
    assert worst <= LIMITS[name]["ours"], where


def powers(count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Bases over the whole range, exponents that keep x^y in it."""
    x = join(spread(1e-300, 1e300, count, signed=False), uniform(0.9, 1.1, count))
    y = RANDOM.uniform(-700, 700, len(x)) / np.log(x)
    return x, y


BINARY: dict[str, tuple[Oracle, np.ndarray, np.ndarray]] = {
    "pow": (mp.power, *powers()),
    "atan2": (mp.atan2, spread(1e-30, 1e30), spread(1e-30, 1e30)),
    "hypot": (mp.hypot, spread(1e-300, 1e300), spread(1e-300, 1e300)),
    "rhypot": (lambda x, y: 1 / mp.hypot(x, y), spread(1e-150, 1e150), uniform(-1, 1)),
}


@pytest.mark.parametrize("name", sorted(BINARY))
def test_two_arguments(math: Probes, name: str) -> None:
    oracle, x, y = BINARY[name]
    worst, where = worst_ulp(math(name, np.float64, x, y), oracle, x, y)
    assert worst <= LIMITS[name]["ours"], where


@pytest.mark.parametrize(("name", "power"), [("norm3d", 1), ("rnorm3d", -1)])
def test_three_arguments(math: Probes, name: str, power: int) -> None:
    sides = [spread(1e-5, 1e5), uniform(-1, 1), uniform(-9, 9)]
    worst, where = worst_ulp(
        math(name, np.float64, *sides),
        lambda a, b, c: mp.sqrt(a * a + b * b + c * c) ** power,
        *sides,
    )
    assert worst <= LIMITS[name]["ours"], where


@pytest.mark.parametrize("name", ["j0", "j1", "y0", "y1"])
def test_bessel_beyond_the_recurrence_is_good_to_its_envelope(math: Probes, name: str) -> None:
    inputs = join(uniform(25, 400, SLOW_COUNT // 2), spread(400, 1e12, 8, signed=False))
    function = mp.besselj if name[0] == "j" else mp.bessely
    worst, where = worst_ulp(
        math(name, np.float64, inputs),
        lambda x: function(int(name[1]), x),
        inputs,
        envelope=lambda x: mp.sqrt(2 / (mp.pi * x)),
    )
    assert worst <= LIMITS[name]["ours"], where


@pytest.mark.parametrize("name", ["jn", "yn"])
def test_bessel_of_integer_order(math: Probes, name: str) -> None:
    orders = np.tile(np.array([0, 1, 2, 5, 17, -3], dtype=np.int32), 8)
    inputs = join(uniform(0.1, 24, 24), uniform(25, 60, 24))
    function = mp.besselj if name == "jn" else mp.bessely
    worst, where = worst_ulp(
        math(name, np.float64, orders, inputs),
        lambda n, x: function(int(n), x),
        orders,
        inputs,
        envelope=lambda x: mp.sqrt(2 / (mp.pi * x)),
    )
    assert worst <= LIMITS[name]["ours"], where


def test_log_gamma_of_negative_arguments(math: Probes) -> None:
    inputs = uniform(-40, 0)
    got = math("lgamma", np.float64, inputs)
    worst, where = worst_ulp(got, log_gamma, inputs, envelope=lambda _: mpf(1))
    assert worst <= 1.0, where


def test_every_function_has_a_documented_limit() -> None:
    assert {*UNARY, *BINARY} <= LIMITS.keys()
    assert all(row["ours"] <= 2.5 for row in LIMITS.values())
