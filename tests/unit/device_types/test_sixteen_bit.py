"""What __half and __hip_bfloat16 share: arithmetic rounded once, comparisons, minima, pairs."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

RANDOM = np.random.default_rng(21)


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """A 16-bit format: its probes, numpy's type of it and its parameters."""

    probes: Any
    dtype: Any
    digits: int
    smallest_exponent: int

    def __call__(self, name: str, *inputs: NDArray[Any], out: Any = None) -> NDArray[Any]:
        """Calls a probe; the result is of the format itself unless `out` says another type."""
        result: NDArray[Any] = self.probes(name, self.dtype if out is None else out, *inputs)
        return result

    def of(self, values: Any) -> NDArray[Any]:
        """Float64 values rounded once."""
        with np.errstate(all="ignore"):
            wide = np.asarray(values, dtype=np.float64)
            if self.dtype is np.float16:
                return wide.astype(np.float16)
            # ml_dtypes goes through float32. A double rounded to odd there is not rounded twice.
            single = wide.astype(np.float32)
            back = single.astype(np.float64)
            bits = single.view(np.uint32)
            inexact = np.isfinite(wide) & (back != wide)
            away = inexact & (np.abs(back) > np.abs(wide))
            odd = np.where(inexact, (bits - away) | 1, bits).astype(np.uint32)
            return odd.view(np.float32).astype(self.dtype)

    @property
    def codes(self) -> NDArray[Any]:
        """Every code, as the values it stands for."""
        return np.arange(1 << 16, dtype=np.uint16).view(self.dtype)

    def pairs(self, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Random codes, with every special value against every other among them."""
        infinity = self.of([np.inf]).view(np.uint16)[0]
        one_sign = [0, 1, 2, infinity - 1, infinity, infinity + 1, 0x7FFF, 0x3C00, 0x3F80]
        special = np.array(one_sign + [code | 0x8000 for code in one_sign])
        grid = np.array(np.meshgrid(special, special)).reshape(2, -1)
        random = RANDOM.integers(0, 1 << 16, (2, count))
        # Close exponents too: unrelated ones seldom leave anything to round.
        near = random.copy()
        near[1] = (near[0] & 0x7FFF) + RANDOM.integers(-4000, 4000, count)
        a, b = np.concatenate([random, near, grid], axis=1).astype(np.uint16).view(self.dtype)
        return a, b


@pytest.fixture(params=["half", "bfloat"])
def sixteen(request: pytest.FixtureRequest) -> Format:
    probes = request.getfixturevalue(request.param)
    if request.param == "half":
        return Format(probes, np.float16, digits=11, smallest_exponent=-24)
    return Format(probes, ml_dtypes.bfloat16, digits=8, smallest_exponent=-133)


def f64(values: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a signalling NaN is cast
        return values.astype(np.float64)


@pytest.mark.parametrize(
    ("probe", "operation"),
    [
        ("add", np.add),
        ("subtract", np.subtract),
        ("multiply", np.multiply),
        ("divide", np.divide),
    ],
)
def test_arithmetic_rounds_once(sixteen: Format, probe: str, operation: np.ufunc) -> None:
    a, b = sixteen.pairs(150_000)
    with np.errstate(all="ignore"):
        # A float64 sum of far-apart bfloat16 is inexact, but only below their last bits but two.
        expected = sixteen.of(operation(f64(a), f64(b)))
    for form in (probe, f"{probe}_operator", f"{probe}_assign"):
        assert sixteen.probes.same(sixteen(form, a, b), expected), form


def test_square_root_and_reciprocal(sixteen: Format) -> None:
    x = f64(sixteen.codes)
    with np.errstate(all="ignore"):
        assert sixteen.probes.same(sixteen("root", sixteen.codes), sixteen.of(np.sqrt(x)))
        assert sixteen.probes.same(sixteen("reciprocal", sixteen.codes), sixteen.of(1 / x))
        expected = f64(sixteen.of(1 / np.sqrt(x)))
    got = f64(sixteen("reciprocal_root", sixteen.codes))
    finite = np.isfinite(expected)
    assert np.array_equal(got[~finite], expected[~finite], equal_nan=True)
    # Three roundings in float before the last: one code away at most, and seldom.
    off = got[finite] != expected[finite]
    assert off.mean() < 0.001
    np.testing.assert_allclose(got[finite], expected[finite], rtol=2.0 ** (1 - sixteen.digits))


def test_math_is_the_float_function_rounded(sixteen: Format) -> None:
    x = f64(sixteen.codes)
    for probe, function in (("exponential", np.exp), ("logarithm_2", np.log2)):
        with np.errstate(all="ignore"):
            expected = f64(sixteen.of(function(x)))
        got = f64(sixteen(probe, sixteen.codes))
        finite = np.isfinite(expected)
        assert np.array_equal(got[~finite], expected[~finite], equal_nan=True), probe
        # The float function's last place is 13 or more bits below: seldom does it tip a rounding.
        assert (got[finite] != expected[finite]).mean() < 0.001, probe
        step = 2.0 ** (1 - sixteen.digits)
        np.testing.assert_allclose(got[finite], expected[finite], rtol=step, atol=2.0**-133)
    pairs = sixteen("pair_exponential", sixteen.codes.view(np.uint32), out=np.uint32)
    assert sixteen.probes.same(pairs.view(sixteen.dtype), sixteen("exponential", sixteen.codes))


def test_rounding_to_integral_values(sixteen: Format) -> None:
    forms = {"floor": np.floor, "ceil": np.ceil, "truncate": np.trunc, "round_even": np.rint}
    for probe, function in forms.items():
        with np.errstate(invalid="ignore"):
            expected = sixteen.of(function(f64(sixteen.codes)))
        assert sixteen.probes.same(sixteen(probe, sixteen.codes), expected), probe


def test_every_intermediate_result_is_rounded(sixteen: Format) -> None:
    a, b, c = (sixteen.of(RANDOM.uniform(-4, 4, 50_000)) for _ in range(3))
    product = sixteen.of(f64(a) * f64(b))
    total = sixteen.of(f64(product) + f64(c))
    expected = sixteen.of(f64(sixteen.of(f64(total) * f64(b))) - f64(a))
    assert sixteen.probes.same(sixteen("chain", a, b, c), expected)


def rounded_exactly(value: Fraction, digits: int, smallest_exponent: int) -> float:
    """A rational rounded to nearest even at `digits` digits, by integer arithmetic."""
    exponent = smallest_exponent
    if value:
        size = abs(value).numerator.bit_length() - abs(value).denominator.bit_length()
        exponent = max(exponent, size - digits - 1)
    while abs(value) >= Fraction(2) ** (exponent + digits):
        exponent += 1
    return float(round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent)


def fma_operands(sixteen: Format, count: int) -> list[NDArray[Any]]:
    """Sums that are a midpoint but for a trace far below a float's last place."""
    scale = np.ldexp(1.0, RANDOM.integers(0, 5, count))
    sign = RANDOM.choice([-1.0, 1.0], count)
    largest = 2**sixteen.digits
    # The trace comes from the addend: half as much again of an odd integer is a midpoint.
    odd = RANDOM.integers(largest // 4, largest // 3, count) * 2 + 1
    # As small as the format has it: bfloat16 can go below a double's last place, too.
    trace = 2.0 ** max(sixteen.smallest_exponent + 6, -80)
    addend = [odd * scale, np.full(count, 1.5), sign * trace]
    # The trace comes from the product: half a last place, less a square.
    unit = 2.0 ** (1 - sixteen.digits)
    integer = RANDOM.integers(largest // 2, largest, count)
    product = [sign * (1 + unit) / 2, (1 - unit) * scale, integer * scale]
    free = [RANDOM.uniform(-8, 8, count) for _ in range(3)]
    tiny = [np.full(count, 2.0**-12), RANDOM.uniform(-1, 1, count) * 2.0**-12, free[2]]
    operands = zip(addend, product, free, tiny, strict=True)
    return [sixteen.of(np.concatenate(parts)) for parts in operands]


def test_fma_rounds_once(sixteen: Format) -> None:
    operands = fma_operands(sixteen, 4_000)
    expected = [
        rounded_exactly(
            Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)),
            sixteen.digits,
            sixteen.smallest_exponent,
        )
        for a, b, c in zip(*operands, strict=True)
    ]
    got = sixteen("fma", *operands)
    assert np.array_equal(f64(got), np.array(expected))
    through_float = sixteen.of(
        (f64(operands[0]) * f64(operands[1]) + f64(operands[2])).astype(np.float32)
    )
    assert not np.array_equal(f64(through_float), np.array(expected))
    pairs = sixteen("pair_fma", *(values.view(np.uint32) for values in operands), out=np.uint32)
    assert sixteen.probes.same(pairs.view(sixteen.dtype), got)


def test_fma_of_special_values(sixteen: Format) -> None:
    inf, nan = np.inf, np.nan
    big = float(np.nanmax(np.where(np.isinf(f64(sixteen.codes)), np.nan, f64(sixteen.codes))))
    rows = [(inf, 1, -inf), (inf, 0, 1), (nan, 1, 1), (1, 1, nan), (inf, 2, 3), (big, big, -inf),
            (big, big, 1), (0, -1, 0), (-0.0, 1, -0.0), (big, -big, 1),
            (big, 1, big)]  # fmt: skip
    a, b, c = (sixteen.of(column) for column in zip(*rows, strict=True))
    expected = sixteen.of([nan, nan, nan, nan, inf, -inf, inf, 0, -0.0, -inf, inf])
    assert sixteen.probes.same(sixteen("fma", a, b, c), expected)


def test_increment_negate_absolute(sixteen: Format) -> None:
    codes = sixteen.codes.view(np.uint16)
    up = sixteen("increment", sixteen.codes)
    with np.errstate(invalid="ignore"):
        assert sixteen.probes.same(up, sixteen.of(f64(sixteen.codes) + 1))
    for probe in ("decrement_after", "increment_after"):
        assert sixteen.probes.same(sixteen(probe, sixteen.codes), sixteen.codes)
    for probe in ("negate", "negate_operator"):
        assert np.array_equal(sixteen(probe, sixteen.codes).view(np.uint16), codes ^ 0x8000)
    assert np.array_equal(sixteen("absolute", sixteen.codes).view(np.uint16), codes & 0x7FFF)


def test_saturated_forms_clamp_to_the_unit_interval(sixteen: Format) -> None:
    a, b = sixteen.pairs(5_000)
    for probe in ("add", "subtract", "multiply"):
        plain = sixteen(probe, a, b)
        expected = np.where(f64(plain) < 0, sixteen.of(0), plain)
        expected = np.where(f64(expected) > 1, sixteen.of(1), expected).astype(sixteen.dtype)
        assert sixteen.probes.same(sixteen(f"{probe}_saturated", a, b), expected), probe
    got = f64(sixteen("fma_saturated", a, b, a))
    assert np.all((got >= 0) & (got <= 1) | np.isnan(got))


def test_atomic_addition_rounds_each_time(sixteen: Format) -> None:
    a = sixteen.of(RANDOM.normal(0, 100, 2_000))
    twice = sixteen.of(f64(sixteen.of(2 * f64(a))) + f64(a))
    assert sixteen.probes.same(sixteen("atomic_add", a), twice)
    pair = sixteen("pair_atomic_add", a.view(np.uint32), out=np.uint32)
    assert sixteen.probes.same(pair.view(sixteen.dtype), twice)


def test_comparisons_with_nan(sixteen: Format) -> None:
    a, b = sixteen.pairs(5_000)
    x, y = f64(a), f64(b)
    unordered = np.isnan(x) | np.isnan(y)
    ordered = {"eq": x == y, "ne": (x != y) & ~unordered, "lt": x < y, "le": x <= y, "gt": x > y,
               "ge": x >= y}  # fmt: skip
    for name, expected in ordered.items():
        assert np.array_equal(sixteen(name, a, b, out=np.bool_), expected), name
        forms = {f"{name}u": expected | unordered}
        forms[f"{name}_operator"] = x != y if name == "ne" else expected
        for form, wanted in forms.items():
            assert np.array_equal(sixteen(form, a, b, out=np.bool_), wanted), form


def test_classification(sixteen: Format) -> None:
    codes, x = sixteen.codes, f64(sixteen.codes)
    assert np.array_equal(sixteen("is_nan", codes, out=np.bool_), np.isnan(x))
    assert np.array_equal(sixteen("is_infinite", codes, out=np.bool_), np.isinf(x))


def test_minimum_and_maximum(sixteen: Format) -> None:
    a, b = sixteen.pairs(5_000)
    x, y = f64(a), f64(b)
    for probe, extreme in [("maximum", np.maximum), ("minimum", np.minimum)]:
        with np.errstate(invalid="ignore"):
            loud = extreme(x, y)
        # Not fmax: numpy's gives NaN when a signalling NaN is the last element.
        quiet = np.where(np.isnan(x), y, np.where(np.isnan(y), x, loud))
        got = f64(sixteen(probe, a, b))
        assert np.array_equal(got, quiet, equal_nan=True)
        assert np.array_equal(f64(sixteen(f"{probe}_nan", a, b)), loud, equal_nan=True)


def test_pairs_do_what_single_values_do(sixteen: Format) -> None:
    a, b = (values[: len(values) // 2 * 2] for values in sixteen.pairs(2_000))
    wide_a, wide_b = a.view(np.uint32), b.view(np.uint32)
    for probe in ("add", "subtract", "multiply", "divide", "maximum", "minimum",
                  "add_operator", "subtract_operator", "multiply_operator",
                  "divide_operator"):  # fmt: skip
        pair = sixteen(f"pair_{probe}", wide_a, wide_b, out=np.uint32).view(sixteen.dtype)
        assert sixteen.probes.same(pair, sixteen(probe, a, b)), probe
    for probe in ("negate", "absolute", "root", "floor"):
        pair = sixteen(f"pair_{probe}", wide_a, out=np.uint32).view(sixteen.dtype)
        assert sixteen.probes.same(pair, sixteen(probe, a)), probe
    swapped = sixteen("swap", wide_a, out=np.uint32)
    assert np.array_equal(swapped, (wide_a << 16) | (wide_a >> 16))


def test_comparisons_of_pairs(sixteen: Format) -> None:
    a, b = (values[: len(values) // 2 * 2] for values in sixteen.pairs(2_000))
    x, y = f64(a), f64(b)
    wide_a, wide_b = a.view(np.uint32), b.view(np.uint32)
    for probe, expected in [("pair_lt", x < y), ("pair_neu", x != y)]:
        got = sixteen(probe, wide_a, wide_b, out=np.uint32).view(sixteen.dtype)
        assert np.array_equal(f64(got), expected.astype(np.float64)), probe
    nan = sixteen("pair_is_nan", wide_a, out=np.uint32).view(sixteen.dtype)
    assert np.array_equal(f64(nan), np.isnan(x).astype(np.float64))
    conjunctions = {"both_lt": x < y, "both_ge": x >= y, "pair_lt_operator": x < y,
                    "pair_ge_operator": x >= y, "pair_eq_operator": x == y}  # fmt: skip
    for probe, expected in conjunctions.items():
        both = expected.reshape(-1, 2).all(axis=1)
        assert np.array_equal(sixteen(probe, wide_a, wide_b, out=np.bool_), both), probe
