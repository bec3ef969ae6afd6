"""The four 8-bit formats against ml_dtypes: every code, midpoints, overflow, packed forms."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

CODES = np.arange(256, dtype=np.uint8)
RANDOM = np.random.default_rng(23)


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """An 8-bit format: its name in HIP and its type in ml_dtypes."""

    probes: Any
    name: str
    dtype: Any

    def __call__(self, probe: str, out: Any, *inputs: NDArray[Any]) -> NDArray[Any]:
        """Calls the format's probe of that name."""
        result: NDArray[Any] = self.probes(f"{self.name}_{probe}", out, *inputs)
        return result

    @property
    def values(self) -> NDArray[np.float32]:
        """What each code stands for."""
        return np.asarray(CODES.view(self.dtype).astype(np.float32))

    @property
    def largest(self) -> float:
        """The largest finite value."""
        return float(self.values[np.isfinite(self.values)].max())

    def of(self, floats: NDArray[Any]) -> NDArray[np.uint8]:
        """Codes of floats rounded once, not saturated."""
        with np.errstate(all="ignore"):
            return floats.astype(np.float32).astype(self.dtype).view(np.uint8)

    def same(self, got: NDArray[np.uint8], expected: NDArray[np.uint8]) -> bool:
        """Equal codes, where one NaN counts as any other."""
        return bool(self.probes.same(got.view(self.dtype), expected.view(self.dtype)))

    def hard_floats(self) -> NDArray[np.float32]:
        """Every value, the midpoints between, a float beside each, the ends, random floats."""
        finite = np.sort(self.values[np.isfinite(self.values)]).astype(np.float64)
        middle = (finite[1:] + finite[:-1]) / 2
        step = finite[-1] - finite[-2]
        ends = finite[-1] + step * np.array([0.25, 0.5, 0.75, 1, 100])
        exact = np.concatenate([finite, middle, ends, -ends]).astype(np.float32)
        near = [np.nextafter(exact, np.float32(side)) for side in (-np.inf, np.inf)]
        random = RANDOM.integers(0, 1 << 32, 100_000, dtype=np.uint32).view(np.float32)
        middling = np.ldexp(RANDOM.uniform(-2, 2, 100_000), RANDOM.integers(-20, 17, 100_000))
        special = np.array([np.inf, -np.inf, np.nan, -0.0, 1e-40, -1e-40], dtype=np.float32)
        return np.concatenate([exact, *near, random, middling.astype(np.float32), special])


@pytest.fixture(params=["e4m3", "e5m2", "e4m3_fnuz", "e5m2_fnuz"])
def form(request: pytest.FixtureRequest, fp8: Any) -> Format:
    dtypes = {
        "e4m3": ml_dtypes.float8_e4m3fn,
        "e5m2": ml_dtypes.float8_e5m2,
        "e4m3_fnuz": ml_dtypes.float8_e4m3fnuz,
        "e5m2_fnuz": ml_dtypes.float8_e5m2fnuz,
    }
    return Format(fp8, request.param, dtypes[request.param])


def test_every_code_widens(form: Format) -> None:
    assert form.probes.same(form("class_widen", np.float32, CODES), form.values)
    halves = form.values.astype(np.float16)
    assert form.probes.same(form("to_half", np.float16, CODES), halves)
    assert form.probes.same(form("class_to_half", np.float16, CODES), halves)


def test_every_value_comes_back(form: Format) -> None:
    for probe in ("saturated", "unsaturated", "class_from_float"):
        assert form.same(form(probe, np.uint8, form.values), CODES), probe


def test_float_rounds_once(form: Format) -> None:
    floats = form.hard_floats()
    assert form.same(form("unsaturated", np.uint8, floats), form.of(floats))


def test_saturation_clamps_finite_values_only(form: Format) -> None:
    floats = form.hard_floats()
    clamped = np.where(np.isfinite(floats), np.clip(floats, -form.largest, form.largest), floats)
    for probe in ("saturated", "class_from_float"):
        assert form.same(form(probe, np.uint8, floats), form.of(clamped)), probe


def test_nothing_is_rounded_twice(form: Format) -> None:
    finite = np.sort(form.values[np.isfinite(form.values)]).astype(np.float64)
    middle = ((finite[1:] + finite[:-1]) / 2)[finite[1:] > 0]
    above, below = middle * (1 + 2.0**-20), middle * (1 - 2.0**-20)
    # Through half, and below through float, these become midpoints and some go the wrong way.
    with np.errstate(under="ignore"):
        through_half = [form.of(values.astype(np.float16)) for values in (above, below)]
    for floats, twice in zip((above, below), through_half, strict=True):
        once = form("unsaturated", np.uint8, floats.astype(np.float32))
        assert form.same(once, form.of(floats))
        assert not form.same(once, twice)
    for scale, nudged in ((1 + 2.0**-40, above), (1 - 2.0**-40, below)):
        assert form.same(form("from_double", np.uint8, middle * scale), form.of(nudged))


def test_sixteen_bit_inputs(form: Format) -> None:
    codes = np.arange(1 << 16, dtype=np.uint16)
    for probe, dtype in (("from_half", np.float16), ("from_bfloat", ml_dtypes.bfloat16)):
        with np.errstate(invalid="ignore"):
            floats = codes.view(dtype).astype(np.float32)
        assert form.same(form(probe, np.uint8, codes), form.of(floats)), probe


def test_packed_forms_hold_the_first_element_low(form: Format) -> None:
    floats = RANDOM.normal(0, 20, 4000).astype(np.float32)
    expected = form.of(floats)
    pair = form("pair_from_floats", np.uint16, floats.view(np.uint64))
    assert form.same(pair.view(np.uint8), expected)
    doubles = floats.astype(np.float64).view(np.dtype((np.void, 16)))
    pair = form("pair_from_doubles", np.uint16, doubles)
    assert form.same(pair.view(np.uint8), expected)
    halves = form("pair_to_halves", np.uint32, pair).view(np.float16)
    assert np.array_equal(halves, expected.view(form.dtype).astype(np.float16))
    two = form("two_widen", np.uint64, pair).view(np.float32)
    assert np.array_equal(two, expected.view(form.dtype).astype(np.float32))
    four = form("four", np.uint32, floats.view(np.dtype((np.void, 16))))
    assert form.same(four.view(np.uint8), expected)
    wide = form("four_widen", np.dtype((np.void, 16)), four).view(np.float32)
    assert np.array_equal(wide, expected.view(form.dtype).astype(np.float32))
    low, high = RANDOM.normal(0, 20, (2, 2000)).astype(np.float16)
    joined = form("four_of_pairs", np.uint32, low.view(np.uint32), high.view(np.uint32))
    order = np.concatenate([low.reshape(-1, 2), high.reshape(-1, 2)], axis=1).reshape(-1)
    assert form.same(joined.view(np.uint8), form.of(order))


def test_integers_and_booleans(form: Format) -> None:
    values = form.values.astype(np.float64)
    limits = np.iinfo(np.int32)
    whole = np.nan_to_num(np.trunc(values), nan=0, posinf=limits.max, neginf=limits.min)
    assert np.array_equal(form("class_to_int", np.int32, CODES), whole.astype(np.int64))
    bytes_ = np.clip(whole, 0, 255).astype(np.uint8)
    assert np.array_equal(form("class_to_byte", np.uint8, CODES), bytes_)
    assert np.array_equal(form("class_to_bool", np.bool_, CODES), ~(values == 0))
    ints = np.array([0, 1, -3, 17, 27, 465, 60000, -(2**31)], dtype=np.int32)
    clamped = np.clip(ints.astype(np.float64), -form.largest, form.largest)
    assert form.same(form("class_from_int", np.uint8, ints), form.of(clamped))
