"""What a verdict keeps: the elements nearest to their bounds, with their inputs and the truth."""

from __future__ import annotations

import json
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.inputs import float32, lengths, vectors
from hipaudit.judge import Claim, Judge
from hipaudit.property import examine
from hipaudit.spec import Array, Case, Spec

DEVICE = Device("rocm", "gfx942", 64, "stands for one")


def third(x: Array) -> Array:
    return x.astype(np.float64) / 3


def launch_third(_: Device, x: Array) -> Array:
    return np.asarray(x * np.float32(1 / 3))


def spot(index: tuple[int, ...], x: Array) -> Any:
    return mpmath.mpf(float(x[index])) / 3


def spec(**changes: Any) -> Spec:
    given: dict[str, Any] = {
        "name": "third",
        "source": "third.hip",
        "description": "",
        "inputs": st.fixed_dictionaries({"x": vectors(float32, lengths(1, 300))}),
        "launch": launch_third,
        "reference": third,
        "bound": lambda x: 2.0**-23 * np.abs(third(x)) + 2.0**-149,
        "spot": spot,
    }
    return Spec(**{**given, **changes})


def test_a_pass_keeps_its_worst_elements_with_inputs_and_truth() -> None:
    verdict = examine(spec(), DEVICE, examples=30).verdict
    assert verdict.status == "passed"
    worst = verdict.worst[0]
    assert worst.ratio == verdict.worst_ratio > 0
    assert worst.ratio >= max(element.ratio for element in verdict.worst)
    assert worst.truth is not None
    assert float(worst.truth) == pytest.approx(worst.inputs["x"] / 3, rel=1e-12)
    assert worst.expected == pytest.approx(float(worst.truth), rel=1e-14)
    assert worst.actual == np.float32(worst.inputs["x"]) * np.float32(1 / 3)
    assert abs(worst.actual - worst.expected) == worst.error
    assert worst.case.startswith("x = float32")


def test_a_failure_keeps_what_is_wrong_with_the_truth() -> None:
    def wrong(device: Device, x: Array) -> Array:
        y = launch_third(device, x)
        y[y > 0.25] += np.float32(0.125)
        return y

    verdict = examine(spec(launch=wrong), DEVICE, examples=200).verdict
    assert verdict.status == "failed"
    (worst,) = verdict.worst
    assert worst.truth is not None
    assert worst.ratio > 1
    assert worst.actual - float(worst.truth) == pytest.approx(0.125, rel=1e-3)
    assert worst.index == verdict.mismatches[0].index


def test_the_verdict_is_json_whatever_its_numbers_are() -> None:
    def infinite(_: Device, x: Array) -> Array:
        return np.full_like(x, np.inf)

    verdict = examine(spec(launch=infinite), DEVICE, examples=5).verdict
    data = json.loads(json.dumps(verdict.as_json(), allow_nan=False))
    assert data["worst"][0]["actual"] == "inf"
    assert data["status"] == "failed"


def test_an_exact_output_keeps_what_is_wrong_as_well() -> None:
    exact = spec(bound=None, spot=None, exact=True, reference=lambda x: x, launch=lambda _, x: -x)
    verdict = examine(exact, DEVICE, examples=20).verdict
    assert verdict.worst[0].truth is None
    assert verdict.worst[0].actual == -verdict.worst[0].expected


def test_the_search_climbs_towards_the_worst_case() -> None:
    """Where error/bound has a summit, the examples come nearer to it in time."""
    from hypothesis import Phase, given, settings

    def run(phases: tuple[Phase, ...]) -> float:
        claim = Claim("third", third, lambda x: np.full(x.shape, 1001.0))
        judge = Judge(claim, DEVICE)

        @settings(max_examples=120, database=None, derandomize=True, phases=phases, deadline=None)
        @given(n=st.integers(0, 1000), x=st.integers(0, 1000))
        def property_test(n: int, x: int) -> None:
            error = max(0, 1000 - abs(n - 707) - abs(x - 303))
            case = Case({"x": np.full(1, float(n), np.float32)})
            judge.run(lambda: launch_third(DEVICE, **case.inputs) + np.float32(error), case)

        property_test()
        return judge.tally.worst_ratio

    assert run((Phase.generate, Phase.target)) > run((Phase.generate,)) > 0.5


# What is no array, or no array of numbers, is an error that shows it, and never a pass.

ROBUST = Claim("robust", lambda x: x.astype(np.float64), lambda x: np.full(x.shape, 1.0))
ONES = np.ones(4, np.float32)


def judged(actual: Any, claim: Claim = ROBUST, x: Array = ONES) -> Judge:
    judge = Judge(claim, DEVICE)
    judge.run(lambda: actual, Case({"x": x}))
    return judge


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        (None, "returned nothing"),
        ((), "no array"),
        ((ONES, None), "no array"),
        (np.array([1.0, None, "a", 2.0], dtype=object), "dtype is object"),
        (np.array(["1", "1", "1", "1"]), "dtype is str"),
        (ONES.astype(complex), "dtype is complex128"),
        (ONES[:3], r"shape is \(3,\), the reference's \(4,\)"),
        (ONES.reshape(2, 2), r"shape is \(2, 2\)"),
        (np.float32(1.0), r"shape is \(\)"),
        ((ONES, ONES), "different numbers of outputs"),
    ],
)
def test_outputs_that_cannot_be_judged_are_refused(actual: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judged(actual)


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (np.nan, "nan"),
        (np.inf, "inf"),
        (-1.0, "-1"),
        (np.array([1, 1, np.nan, 1]), "nan"),
        (np.ones(3), r"\(3,\)"),
        (np.array([1.0, None, 1.0, 1.0], dtype=object), "object"),
    ],
)
def test_bounds_that_cannot_judge_are_refused_with_their_value(bound: Any, said: str) -> None:
    claim = Claim("robust", lambda x: x.astype(np.float64), lambda x: bound)  # noqa: ARG005
    with pytest.raises(UsageError, match=said):
        judged(ONES, claim)


def test_a_reference_of_objects_is_refused() -> None:
    claim = Claim("robust", lambda x: x.astype(object), lambda x: np.ones(x.shape))
    with pytest.raises(UsageError, match="reference's dtype is object"):
        judged(ONES, claim)


def test_views_and_read_only_arrays_are_judged_like_any_other() -> None:
    wide = np.ones((4, 6), np.float32)
    for x in (wide[::2, ::3], wide.T, wide[::-1], np.broadcast_to(np.float32(1), (3, 3))):
        x.flags.writeable = False
        assert judged(x, x=x).tally.elements == x.size
        with pytest.raises(AssertionError, match="bound-exceeded"):
            judged(x * np.float32(7), x=x)


def test_non_contiguous_exact_outputs_are_compared_bit_for_bit() -> None:
    claim = Claim("robust", lambda x: x, None)
    x = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    assert judged(x, claim, x).tally.elements == 6
    with pytest.raises(AssertionError, match="conversion-inexact"):
        judged(x + 1, claim, x)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0)])
def test_empty_tensors_compare_nothing_and_pass_nothing(shape: tuple[int, ...]) -> None:
    empty = np.zeros(shape, np.float32)
    judge = judged(empty, x=empty)
    assert judge.tally.elements == 0
    assert judge.finish().status == "void"
