"""__hip_bfloat16: every code both ways, roundings at halfway points; the older hip_bfloat16."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

Probes = Any

CODES = np.arange(1 << 16, dtype=np.uint16)
BFLOATS = CODES.view(ml_dtypes.bfloat16)
RANDOM = np.random.default_rng(22)


def hard_floats() -> NDArray[np.float32]:
    """Every upper half of a float with lower halves around the midpoint, and random floats."""
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=np.uint32)
    near = (CODES.astype(np.uint32)[:, None] << 16 | lower).reshape(-1)
    random = RANDOM.integers(0, 1 << 32, 100_000, dtype=np.uint32)
    floats: NDArray[np.float32] = np.concatenate([near, random]).view(np.float32)
    return floats


FLOATS = hard_floats()


def test_every_code_widens_exactly_and_comes_back(bfloat: Probes) -> None:
    for probe in ("widen", "to_float", "old_widen"):
        wide = bfloat(probe, np.float32, BFLOATS)
        assert np.array_equal(wide.view(np.uint32), CODES.astype(np.uint32) << 16)
    quiet = np.where(np.isnan(wide), CODES | 0x40, CODES)
    for probe in ("nearest", "from_float", "old_nearest", "old_round"):
        assert np.array_equal(bfloat(probe, np.uint16, wide), quiet), probe
    assert np.array_equal(bfloat("bits", np.uint16, BFLOATS), CODES)
    assert np.array_equal(bfloat("from_bits", np.uint16, CODES), CODES)


@pytest.mark.parametrize("probe", ["nearest", "from_float", "old_nearest", "old_round"])
def test_float_rounds_to_nearest_even_and_keeps_nan(bfloat: Probes, probe: str) -> None:
    got = bfloat(probe, ml_dtypes.bfloat16, FLOATS)
    with np.errstate(invalid="ignore", over="ignore"):
        assert bfloat.same(got, FLOATS.astype(ml_dtypes.bfloat16))
    nan = np.isnan(FLOATS)
    assert np.array_equal(got.view(np.uint16)[nan], (FLOATS.view(np.uint32)[nan] >> 16) | 0x40)


@pytest.mark.parametrize("probe", ["from_double", "from_double_call", "assign_double"])
def test_double_rounds_once_not_through_float(bfloat: Probes, probe: str) -> None:
    codes = RANDOM.integers(0, 0x7F7F, 20_000).astype(np.uint16)
    below = codes.view(ml_dtypes.bfloat16).astype(np.float64)
    above = (codes + 1).astype(np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    tie = (below + above) / 2
    for doubles, expected in [
        (tie, np.where(codes & 1, codes + 1, codes)),
        (tie * (1 + 2.0**-40), codes + 1),
        (tie * (1 - 2.0**-40), codes),
    ]:
        assert np.array_equal(bfloat(probe, np.uint16, doubles), expected)
        assert np.array_equal(bfloat(probe, np.uint16, -doubles), expected | 0x8000)
    far = np.array([1e300, -1e300, 1e-300, np.inf])
    assert np.array_equal(bfloat(probe, np.uint16, far), [0x7F80, 0xFF80, 0, 0x7F80])


def test_integers_round_once(bfloat: Probes) -> None:
    # 0x1010001 rounds to 0x1010000 in float, a tie that then falls to the even 0x1000000.
    ints = np.array([0, 1, -1, 257, 259, 0x1010001, -0x1010001, 2**31 - 1], dtype=np.int32)
    expected = np.array([0, 1, -1, 256, 260, 0x1020000, -0x1020000, 2.0**31], dtype=np.float32)
    for probe in ("from_int", "from_int_call"):
        got = bfloat(probe, ml_dtypes.bfloat16, ints)
        assert np.array_equal(got.astype(np.float32), expected), probe
    got = bfloat("from_unsigned", ml_dtypes.bfloat16, np.array([2**32 - 1], dtype=np.uint32))
    assert float(got[0]) == 2.0**32


def test_values_as_integers_and_booleans(bfloat: Probes) -> None:
    values = np.array([0, -0.0, 0.5, -1.5, 300, -70000], dtype=ml_dtypes.bfloat16)
    expected = np.trunc(values.astype(np.float64)).astype(np.int32)
    assert np.array_equal(bfloat("to_int", np.int32, values), expected)
    assert np.array_equal(bfloat("to_bool", np.bool_, values), values.astype(np.float64) != 0)


def test_pairs_of_floats(bfloat: Probes) -> None:
    floats = RANDOM.uniform(-100, 100, 2000).astype(np.float32)
    packed = bfloat("pair_from_floats", np.uint32, floats.view(np.uint64))
    assert bfloat.same(packed.view(ml_dtypes.bfloat16), floats.astype(ml_dtypes.bfloat16))
    back = bfloat("pair_to_floats", np.uint64, packed).view(np.float32)
    assert np.array_equal(back, floats.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_the_older_class(bfloat: Probes) -> None:
    truncated = bfloat("old_truncate", np.uint16, FLOATS)
    nan = np.isnan(FLOATS)
    assert np.array_equal(truncated[~nan], (FLOATS.view(np.uint32)[~nan] >> 16))
    assert np.all(np.isnan(truncated[nan].view(ml_dtypes.bfloat16).astype(np.float32)))
    a, b = RANDOM.integers(0, 1 << 16, (2, 20_000)).astype(np.uint16).view(ml_dtypes.bfloat16)
    with np.errstate(all="ignore"):
        assert bfloat.same(bfloat("old_add", ml_dtypes.bfloat16, a, b), a + b)
        assert bfloat.same(bfloat("old_multiply", ml_dtypes.bfloat16, a, b), a * b)
    less = a.astype(np.float32) < b.astype(np.float32)
    assert np.array_equal(bfloat("old_less", np.bool_, a, b), less)
