"""The order of judgement: unwritten, not finite, then every element against its own bound."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from hipaudit.compare import POISON_BYTE, Comparison, compare, mutants
from hipaudit.errors import UsageError
from hipaudit.verdict import Tally

INF, NAN = np.inf, np.nan


def judged(
    got: list[float], want: list[float], bound: float | list[float], dtype: Any = np.float32
) -> Comparison:
    actual = np.array(got).astype(dtype)
    limits = np.broadcast_to(np.asarray(bound, dtype=np.float64), actual.shape)
    return compare((actual,), (np.array(want),), (limits,))


def kinds(comparison: Comparison) -> list[str]:
    return [wrong.kind for wrong in comparison.mismatches]


def test_inside_the_bound_passes_and_tells_how_near_it_came() -> None:
    result = judged([1.0, 2.25], [1.0, 2.0], [0.1, 0.5])
    assert result.mismatches == ()
    assert result.worst_ratio == 0.5
    assert result.worst_index == (1,)
    assert result.worst_ulp == 0.25 / 2.0**-22


def test_one_element_outside_its_bound_fails_however_many_are_right() -> None:
    got = [1.0] * 1000
    got[637] = 1.5
    result = judged(got, [1.0] * 1000, 0.25)
    (wrong,) = result.mismatches
    assert (wrong.kind, wrong.index, wrong.count) == ("bound-exceeded", (637,), 1)
    assert "2 times the bound" in wrong.sentence()


def test_the_worst_element_is_the_one_shown() -> None:
    result = judged([1.0, 1.0, 1.0], [1.5, 3.0, 1.25], 0.1)
    assert result.mismatches[0].index == (1,)
    assert result.mismatches[0].count == 3


def test_a_bound_of_zero_demands_equality() -> None:
    assert kinds(judged([1.0], [1.0], 0.0)) == []
    assert kinds(judged([1.0], [np.nextafter(1.0, 2.0)], 0.0)) == ["bound-exceeded"]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_the_same_non_finite_value_passes(value: float) -> None:
    assert kinds(judged([value], [value], 1.0)) == []


@pytest.mark.parametrize(
    ("got", "want", "kind"),
    [
        (NAN, 1.0, "nonfinite-mismatch"),
        (1.0, NAN, "nonfinite-mismatch"),
        (NAN, INF, "nonfinite-mismatch"),
        (INF, -INF, "nonfinite-mismatch"),
        (INF, NAN, "nonfinite-mismatch"),
        (1.0, INF, "nonfinite-mismatch"),
        (INF, 1.0, "overflow"),
        (-INF, 3e38, "overflow"),
    ],
)
def test_non_finite_values_that_do_not_belong(got: float, want: float, kind: str) -> None:
    assert kinds(judged([got], [want], 1e30)) == [kind]


def test_an_infinity_is_excused_where_the_answer_leaves_the_format() -> None:
    assert kinds(judged([INF], [1e39], 1.0)) == []
    assert kinds(judged([-INF], [1e39], 1.0)) == ["overflow"]
    assert kinds(judged([INF], [65519.0], 32.0, np.float16)) == []
    assert kinds(judged([INF], [60000.0], 32.0, np.float16)) == ["overflow"]


def test_no_bound_is_asked_for_where_the_answer_is_not_finite() -> None:
    assert kinds(judged([NAN, 1.0], [NAN, 1.0], [NAN, 0.1])) == []


@pytest.mark.parametrize("bound", [NAN, INF, -1.0])
def test_a_bound_that_cannot_judge_is_refused(bound: float) -> None:
    with pytest.raises(
        UsageError, match=f"bound is {bound} at .0,.: it must be finite and not negative"
    ):
        judged([1.0], [1.0], bound)


def test_unwritten_elements_are_told_from_wrong_ones() -> None:
    actual = np.array([1.0, 2.0], np.float32)
    actual.view(np.uint8)[4:] = POISON_BYTE
    expected, bounds = (np.array([1.0, 2.0]),), (np.array([0.1, 0.1]),)
    assert kinds(compare((actual,), expected, bounds, poisoned=True)) == ["unwritten-output"]
    assert kinds(compare((actual,), expected, bounds)) == ["nonfinite-mismatch"]
    nan = (np.array([1.0, NAN]),)
    assert kinds(compare((actual,), nan, bounds, poisoned=True)) == ["unwritten-output"]


def test_an_exact_output_is_compared_bit_for_bit() -> None:
    zeros = np.array([0.0, -0.0], np.float32)
    assert kinds(compare((zeros,), (zeros,), None)) == []
    assert kinds(compare((zeros,), (np.zeros(2, np.float32),), None)) == ["conversion-inexact"]


def test_exact_nans_are_compared_by_class() -> None:
    quiet = np.array([0x7FC00000], np.uint32).view(np.float32)
    other = np.array([0xFFC01234], np.uint32).view(np.float32)
    assert kinds(compare((quiet,), (other,), None)) == []


def test_exact_integers_with_the_poison_s_value_are_not_accused() -> None:
    written = np.array([-1, 5], np.int32)
    assert kinds(compare((written,), (written.copy(),), None, poisoned=True)) == []
    wrong = np.array([3, 5], np.int32)
    assert kinds(compare((written,), (wrong,), None, poisoned=True)) == ["unwritten-output"]


@pytest.mark.parametrize(
    ("dtype", "ulp"),
    [(np.float16, 2.0**-10), (ml_dtypes.bfloat16, 2.0**-7), (np.float32, 2.0**-23)],
)
def test_ulps_are_those_of_the_output_format(dtype: Any, ulp: float) -> None:
    result = judged([1.0], [1.0 + 3 * ulp], 1.0, dtype)
    assert result.worst_ulp == pytest.approx(3.0)


def test_ulps_of_subnormals_do_not_shrink_further() -> None:
    tiny = 2.0**-149
    assert judged([2 * tiny], [tiny], 1.0).worst_ulp == 1.0


def test_different_shapes_and_numbers_of_outputs_are_refused() -> None:
    one = np.zeros(3, np.float32)
    with pytest.raises(UsageError, match="shape"):
        compare((one,), (np.zeros(4),), (np.ones(4),))
    with pytest.raises(UsageError, match="different numbers of outputs"):
        compare((one, one), (one,), (one,))


def test_an_empty_output_compares_nothing() -> None:
    assert judged([], [], 1.0).elements == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_planted_errors_leave_a_tight_bound_and_stay_in_a_loose_one(dtype: Any) -> None:
    values = (np.array([0.5, -1.0, 2.0]).astype(dtype),)
    expected = (values[0].astype(np.float64),)
    info: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    unit = float(info.eps)
    tight, loose = (np.abs(expected[0]) * unit,), (np.full(3, 100.0),)
    for bound, survivors in ((tight, 0), (loose, 3)):
        tally = Tally(u_out=unit / 2)
        tally.try_mutants(values, expected, bound)
        assert len(tally.survivors) == survivors


def test_planted_errors_of_integers_swap_and_shift() -> None:
    values = (np.array([4, 4, 7, 9], np.int64),)
    wrong = {name: outputs[0].tolist() for name, outputs in mutants(values, 0.0)}
    assert wrong == {"off by one": [5, 5, 8, 10], "first two swapped": [4, 7, 4, 9]}


def test_what_an_integer_output_cannot_hold_is_not_right_by_wrapping_around() -> None:
    got = (np.array([44, 7], np.uint8), np.array([-56], np.int8))
    want = (np.array([300, 7]), np.array([200.0]))
    found = compare(got, want, None).mismatches
    assert [(wrong.output, wrong.index, wrong.expected) for wrong in found] == [
        (0, (0,), 300.0),
        (1, (0,), 200.0),
    ]
    assert compare((np.array([2], np.int32),), (np.array([2.5]),), None).mismatches
    assert compare((np.array([0], np.int32),), (np.array([NAN]),), None).mismatches


def test_minus_one_of_an_integer_output_was_written_where_it_is_right() -> None:
    got = np.array([-1, 3], np.int8)
    right = compare((got,), (np.array([-1.0, 3.0]),), (np.ones(2),), poisoned=True)
    assert right.mismatches == ()
    wrong = compare((got,), (np.array([5.0, 3.0]),), (np.ones(2),), poisoned=True)
    assert kinds(wrong) == ["unwritten-output"]


def test_different_numbers_of_outputs_are_counted() -> None:
    one = np.ones(1)
    with pytest.raises(UsageError, match="the test gives 2, the reference gives 1, the bound giv"):
        compare((one, one), (one,), (one,))
