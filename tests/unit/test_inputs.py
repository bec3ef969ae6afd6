"""Strategies for tensors: shapes, families, seeds, and what they shrink to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from hipaudit import families
from hipaudit.errors import UsageError
from hipaudit.inputs import (
    Drawn,
    anything,
    bfloat16,
    byte_blocks,
    composite,
    factors,
    finite_logits,
    float16,
    float32,
    integers,
    lengths,
    logits,
    matrices,
    tensor,
    tensors,
    vectors,
)


@contextmanager
def recorded(names: dict[str, int]) -> Iterator[None]:
    """Count the families that tensors are filled from."""
    fill = Drawn.values

    def counted(drawn: Drawn) -> Any:
        names[drawn.family.name] = names.get(drawn.family.name, 0) + 1
        return fill(drawn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawn, "values", counted)
        yield


FORMATS = [float16, bfloat16, float32]


@pytest.mark.parametrize("family", families.ALL, ids=repr)
@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (2, 0), (0, 4), (7,), (2, 3, 64), ()])
def test_every_family_fills_every_format_and_shape(
    family: families.Family, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> None:
    values = Drawn(dtype, shape, family, 3).values()
    assert (values.shape, values.dtype) == (shape, dtype)
    assert values.flags.c_contiguous
    again = Drawn(dtype, shape, family, 3).values()
    assert values.tobytes() == again.tobytes()


@pytest.mark.parametrize("family", [*families.WELL_SCALED, *families.EXTREMES], ids=repr)
@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_finite_families_are_finite(family: families.Family, dtype: np.dtype[Any]) -> None:
    values = Drawn(dtype, (8, 65), family, 1).values().astype(np.float64)
    assert np.isfinite(values).all()


def test_families_keep_their_promises() -> None:
    def drawn(name: str) -> Any:
        return tensor(float32, (32, 64), name, seed=5).astype(np.float64)

    assert np.abs(drawn("cancelling").sum(axis=-1)).max() == 0.0
    assert np.abs(drawn("cancelling")).sum(axis=-1).min() > 1e7
    assert (drawn("one-hot").sum(axis=-1) == 1.0).all()
    assert np.isneginf(drawn("wholly masked")).all(axis=-1).any()
    assert (~np.isneginf(drawn("partly masked"))).any(axis=-1).all()
    assert np.isnan(drawn("with nan")).any()
    assert np.isposinf(drawn("with infinity")).any()
    assert (np.abs(drawn("subnormal")) < 2.0**-126).all()
    assert np.abs(drawn("near largest")).max() == np.finfo(np.float32).max
    assert drawn("offset").min() > 9000
    assert np.signbit(drawn("signed zeros")).any()
    spread = np.abs(drawn("far mean").mean(axis=-1)) / drawn("far mean").std(axis=-1)
    assert 100 < spread.min() < 1000
    assert 2000 < spread.max() < 20000


@pytest.mark.parametrize("dtype", [float16, bfloat16, "float8_e4m3fn", "float8_e5m2"], ids=str)
def test_rows_far_from_zero_still_spread_in_short_formats(dtype: Any) -> None:
    rows = tensor(dtype, (20, 64), "far mean", seed=1).astype(np.float64)
    assert all(len(np.unique(row)) >= 4 for row in rows)


def test_a_hundred_examples_meet_every_family_and_hardly_repeat() -> None:
    """Of two tensors: Hypothesis would copy one over the other, and that for most examples."""
    names: dict[str, int] = {}
    cases: set[bytes] = set()
    zeros = 0

    @settings(max_examples=100, database=None, derandomize=True, deadline=None)
    @given(
        x=matrices(float32, columns=lengths(2, 900), elements=logits()),
        w=vectors(float32, lengths(1, 900), elements=logits()),
    )
    def collect(x: Any, w: Any) -> None:
        nonlocal zeros
        cases.add(x.tobytes() + w.tobytes())
        zeros += bool(x.size > 9 and np.count_nonzero(x) == 1 and x.max() != 1)

    with recorded(names):
        collect()
    assert len(cases) >= 90
    assert zeros <= 10
    assert len(names) == 16
    assert max(names.values()) <= 40


def test_a_printed_tensor_can_be_made_again() -> None:
    drawn = Drawn(float16, (2, 3), families.ALL[0], 9)
    assert repr(drawn) == "tensor(float16, (2, 3), 'uniform', seed=9)"
    assert (tensor("float16", (2, 3), "uniform", seed=9) == drawn.values()).all()
    with pytest.raises(UsageError, match="no family of values is called 'odd'"):
        tensor(float32, (1,), "odd")


def test_lengths_offer_the_edges_of_waves_powers_and_primes() -> None:
    seen: set[int] = set()

    @settings(max_examples=1500, database=None, derandomize=True)
    @given(lengths(1, 300))
    def collect(value: int) -> None:
        seen.add(value)

    collect()
    assert {1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 251, 255, 256, 257, 300} <= seen
    assert min(seen) == 1
    assert max(seen) == 300
    with pytest.raises(UsageError, match="range is empty"):
        lengths(5, 4)


def test_a_failure_shrinks_to_the_smallest_shape_and_plainest_family() -> None:
    found = find(
        matrices(float32, elements=anything()),
        lambda x: x.shape[0] >= 3 and x.shape[1] >= 33,
        settings=settings(database=None),
    )
    assert found.shape == (3, 33)
    assert (found == tensor(float32, (3, 33), "uniform", seed=0, kept=(0, 0), rounded=True)).all()


def test_a_failure_that_needs_nans_keeps_them_and_shrinks_the_rest() -> None:
    found = find(
        matrices(float32, elements=logits()),
        lambda x: bool(np.isnan(x).any()),
        settings=settings(database=None, max_examples=500),
    )
    assert found.shape == (1, 1)


def test_a_failure_shrinks_to_its_one_bad_element_at_the_smallest_place() -> None:
    """After the shape and the family: all other elements are 0, and the bad one is an integer."""
    found = find(
        matrices(float32, rows=lengths(1, 40), columns=lengths(1, 300)),
        lambda x: x.shape[1] > 70 and bool((np.abs(x[:, 70:]) >= 2).any()),
        settings=settings(database=None, max_examples=2000, derandomize=True),
    )
    assert found.shape == (1, 71)
    assert np.flatnonzero(found).tolist() == [70]
    assert found[0, 70] == np.rint(found[0, 70])


def test_a_printed_single_element_can_be_made_again() -> None:
    drawn = Drawn(float32, (2, 3), families.ALL[1], 5, kept=(4, 4))
    assert repr(drawn) == "tensor(float32, (2, 3), 'normal', seed=5, kept=(4, 4))"
    again = tensor(float32, (2, 3), "normal", seed=5, kept=(4, 4))
    assert (again == drawn.values()).all()
    assert np.flatnonzero(again).tolist() == [4]
    whole = tensor(float32, (2, 3), families.ALL[1].name, seed=5)
    assert again[1, 1] == whole[1, 1]


@pytest.mark.parametrize("dtype", [float16, float32, bfloat16], ids=str)
@pytest.mark.parametrize("family", families.ALL, ids=repr)
def test_a_million_elements_take_less_than_20_ms(
    family: families.Family, dtype: np.dtype[Any]
) -> None:
    """Of this process's own time, the best of a few: the machine may be busy."""
    drawn = Drawn(dtype, (1024, 1024), family, 3)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        drawn.values()
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.020


@given(factors(float16, m=lengths(1, 9), n=4, k=lengths(0, 5)))
@settings(max_examples=30, database=None, deadline=None)
def test_factors_agree_on_their_inner_extent(drawn: dict[str, Any]) -> None:
    assert drawn["a"].shape[1] == drawn["b"].shape[0]
    assert drawn["b"].shape[1] == 4
    assert drawn["a"].dtype == np.float16


@given(vectors(bfloat16, length=st.integers(2, 4)))
@settings(max_examples=20, database=None, deadline=None)
def test_vectors_have_one_axis(x: Any) -> None:
    assert x.ndim == 1
    assert 2 <= len(x) <= 4


def test_byte_blocks_reach_every_class_of_scale() -> None:
    classes: set[str] = set()

    @settings(max_examples=200, database=None, deadline=None)
    @given(byte_blocks(20, blocks=lengths(1, 64), scales=(0, 2)))
    def collect(blocks: Any) -> None:
        assert blocks.dtype == np.uint8
        assert blocks.shape[1] == 20
        scale = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float64)
        if np.isnan(scale).any():
            classes.add("nan")
        if np.isinf(scale).any():
            classes.add("inf")
        if ((scale != 0) & (np.abs(scale) < 2.0**-14)).any():
            classes.add("subnormal")
        if (scale == 0).all():
            classes.add("zero")

    collect()
    assert classes == {"nan", "inf", "subnormal", "zero"}


def test_a_planted_value_is_there_and_often_at_an_end_of_its_row() -> None:
    planted = [tensor(float32, (1, 20), "with nan", seed=seed) for seed in range(100)]
    places = [int(np.flatnonzero(np.isnan(values[0]))[0]) for values in planted]
    assert min(places.count(0), places.count(19)) >= 15
    assert len(set(places)) >= 12


def test_integers_reach_the_ends_of_their_range_and_stay_inside() -> None:
    seen: set[int] = set()

    @settings(max_examples=60, database=None, derandomize=True, deadline=None)
    @given(integers("int8", (lengths(0, 9), 70)), integers("int32", (lengths(1, 5),), 3, 9))
    def collect(codes: Any, indices: Any) -> None:
        assert (codes.dtype, indices.dtype) == (np.int8, np.int32)
        assert codes.shape[1:] == (70,)
        assert ((indices >= 3) & (indices <= 9)).all()
        seen.update(codes.reshape(-1).tolist())

    collect()
    assert {-128, -127, -1, 0, 1, 126, 127} <= seen
    assert len(seen) > 200


def _holds(wanted: int, x: Any) -> bool:
    return bool((x == x.dtype.type(wanted)).any())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_integers_hold_every_value_of_their_dtype(dtype: str) -> None:
    limits = np.iinfo(dtype)
    for wanted in (int(limits.min), int(limits.max)):
        ends = find(
            integers(dtype, (40,)),
            partial(_holds, wanted),
            settings=settings(database=None, max_examples=500),
        )
        assert ends.dtype == dtype


def test_integers_shrink_to_the_one_that_is_bad() -> None:
    found = find(
        integers("int32", (lengths(1, 99),), -5, 5),
        lambda x: bool((x[3:] == 5).any()),
        settings=settings(database=None, max_examples=500),
    )
    assert found.tolist() == [0, 0, 0, 5]


def test_what_cannot_be_drawn_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"int8 is no float: draw it by integers\('int8', ...\)"):
        tensors("int8", (3,))
    with pytest.raises(UsageError, match="complex64 is no float dtype"):
        tensors("complex64", (3,))
    with pytest.raises(UsageError, match="integers\\(\\) of float32: that is no integer dtype"):
        integers(float32, (3,))
    with pytest.raises(UsageError, match=r"\[0, 300\] is empty or does not fit"):
        integers("uint8", (3,), 0, 300)


def test_strategies_say_what_they_are() -> None:
    assert repr(lengths(1, 9)) == "lengths(1, 9)"
    assert repr(finite_logits()) == "finite_logits()"
    assert repr(tensors(float32, (2, lengths(1, 9)))) == "tensors(float32, (2, lengths(1, 9)))"


@composite
def _pairs(draw: Any, most: int) -> tuple[int, int, Any]:
    return (
        draw(st.integers(0, 2**32)),
        draw(st.integers(0, 2**32)),
        draw(matrices(float32, columns=draw(lengths(1, most)))),
    )


def test_what_is_drawn_together_hardly_repeats_either() -> None:
    seen: list[tuple[int, int, bytes]] = []

    @settings(max_examples=100, database=None, derandomize=True, deadline=None)
    @given(pair=_pairs(40))
    def collect(pair: Any) -> None:
        seen.append((pair[0], pair[1], pair[2].tobytes()))

    collect()
    for part in range(3):
        assert len({one[part] for one in seen}) >= 85
    assert repr(_pairs(4)) == "_pairs()"
