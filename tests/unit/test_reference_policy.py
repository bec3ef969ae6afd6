"""What is not finite, what overflows, what is refused; and how one element is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.bounds import AMD, DEVICES, EMULATED
from hipaudit_reference.formats import BF16, E4M3FN, FP16, FP32

_NAN, _INF = np.nan, np.inf


def test_softmax_policy() -> None:
    x = np.array(
        [
            [1.0, _NAN, -_INF],
            [1.0, _INF, -_INF],
            [-_INF, -_INF, -_INF],
            [-_INF, _NAN, -_INF],
            [1.0, -_INF, 1.0],
        ]
    )
    y, bound = ref.softmax(x), bounds.softmax(x)
    assert np.all(np.isnan(y[[0, 1, 3]]))
    assert y[2].tolist() == [0, 0, 0]
    assert y[4].tolist() == [0.5, 0, 0.5]
    assert not np.any(bound[:4])
    assert bound[4, 1] == 0
    assert bound[4, 0] > 0
    assert np.all(np.isnan(ref.softmax(x, masked_rows="nan")[2]))
    masked = ref.softmax(np.full((1, 3), _NAN), mask=np.array([False, True, False]))
    assert np.all(np.isnan(masked))
    kept = ref.softmax(np.array([[_NAN, 1.0, 1.0]]), mask=np.array([False, True, True]))
    assert kept[0].tolist() == [0, 0.5, 0.5]


def test_softmax_survives_offsets_and_the_whole_range() -> None:
    x = np.array([[3.4e38, -3.4e38], [-6e4, -5e4], [133120.0, 133120.0]], dtype=np.float32)
    np.testing.assert_array_equal(ref.softmax(x), [[1, 0], [0, 1], [0.5, 0.5]])
    bound = bounds.softmax(x)
    assert np.all(bound < 1e-5)
    # Logits so large that their own rounding decides: still a number between 0 and 1.
    wide = bounds.softmax(np.array([[1e9, 1e9 + 64]], dtype=np.float32), scale=0.3)
    assert np.all((wide > 0.1) & (wide <= 1 + 1e-5))


def test_rms_norm_policy() -> None:
    x = np.array([[1.0, _INF, -2.0], [1.0, _NAN, 2.0], [0.0, 0.0, 0.0]])
    y = ref.rms_norm(x)
    assert y[0].tolist()[0] == 0
    assert np.isnan(y[0, 1])
    assert np.all(np.isnan(y[1]))
    assert not np.any(y[2])
    bound = bounds.rms_norm(x)
    assert np.all(np.isfinite(bound[2]))
    assert np.all(np.isnan(ref.layer_norm(x)[:2]))


def test_sums_policy() -> None:
    x = np.array([[1.0, _INF, -_INF], [1.0, _INF, 1.0], [_NAN, 1.0, 1.0], [3e38, 3e38, -3e38]])
    y, bound = ref.reduce_sum(x), bounds.reduce_sum(x)
    assert np.isnan(y[[0, 2]]).all()
    assert y[1] == _INF
    assert bound.tolist() == [0, 0, 0, _INF]
    assert np.isnan(ref.prefix_sum(x)[0, 2])
    assert ref.prefix_sum(x)[0, :2].tolist() == [1, _INF]
    assert ref.reduce_max(x).tolist()[1:2] == [_INF]
    assert np.isnan(ref.reduce_max(x)[2])
    assert ref.reduce_max(x, nan="ignore")[2] == 1
    assert ref.reduce_max(np.full((1, 2), _NAN), nan="ignore") == -_INF
    assert not np.any(bounds.reduce_max(x))
    assert bounds.reduce_max(np.array([1.0, 1 / 3]), out=FP16) == 0
    assert bounds.reduce_max(np.array([0.1, 1 / 3]), out=FP16) > 0


def test_a_device_that_flushes_may_take_any_subnormal_for_the_largest() -> None:
    high = 0.75 * FP32.min_normal
    x = np.array([[high, -high], [1.0, high], [-1.0, -2.0]])
    assert bounds.reduce_max(x, device=AMD.flushing())[0] >= 2 * high
    assert not np.any(bounds.reduce_max(x, device=AMD.flushing())[1:])


@pytest.mark.parametrize("name", ["silu", "gelu", "gelu_tanh"])
def test_activation_policy(name: str) -> None:
    y = getattr(ref, name)(np.array([-_INF, _INF, _NAN, 0.0, -0.0]))
    assert np.isnan(y[[0, 2]]).all()
    assert y[1] == _INF
    assert np.signbit(y).tolist()[3:] == [False, True]
    bound = getattr(bounds, name)(np.array([-_INF, _INF, _NAN, 0.0, -1e8]))
    assert bound[:3].tolist() == [0, 0, 0]
    assert np.all(np.isfinite(bound))


def test_gate_at_infinity() -> None:
    value = np.array([2.0, 2.0])
    gate = np.array([_INF, -_INF])
    assert ref.glu(value, gate).tolist() == [2, 0]
    assert np.all(bounds.glu(value, gate) < 1e-5)


def test_movement_is_exact() -> None:
    table = np.array([[1.0, 1 / 3], [1e-40, -0.0]], dtype=np.float32)
    assert ref.embedding(table, np.array([[1], [0]])).shape == (2, 1, 2)
    assert not np.any(bounds.embedding(table, np.array([1, 0])))
    assert ref.transpose(table)[0, 1] == table[1, 0]
    half = bounds.transpose(table, out=FP16)
    assert half[0, 0] == 0
    assert half[1, 0] > 0
    assert ref.kv_replicate(np.ones((2, 3, 4)), 5).shape == (10, 3, 4)
    assert not np.any(bounds.kv_replicate(np.ones((2, 3, 4)), 5))
    assert ref.convert(np.float32(65520), FP16) == _INF
    assert not np.any(bounds.convert(table, FP16))
    with pytest.raises(ValueError, match=r"\[2\] lies outside a table of 2"):
        ref.embedding(table, np.array([0, 2]))


def test_an_element_is_judged_by_class_then_by_error() -> None:
    reference = np.array([1.0, 1.0, 1.0, _NAN, _NAN, _INF, _INF, _INF, -_INF, 1.0, 0.0])
    actual = np.array([1.0, 1.1, 1.3, _NAN, 1.0, _INF, 3e38, -_INF, -_INF, _INF, -0.0])
    bound = np.array([0.0, 0.2, 0.2, 0, 0, 0, 0, 0, 0, 0.1, 0])
    judged = ref.judge(actual, reference, bound)
    assert judged.accepted.tolist() == [1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1]
    np.testing.assert_allclose(judged.ratio[:3], [0, 0.5, 1.5])
    assert judged.worst == _INF


def test_overflow_is_right_where_the_bound_reaches_it() -> None:
    reference, bound = np.array([65500.0, 65500.0, -65500.0, 65500.0]), np.array([30.0, 1, 30, 30])
    actual = np.array([_INF, _INF, -_INF, -_INF])
    assert ref.judge(actual, reference, bound, FP16).accepted.tolist() == [1, 0, 1, 0]
    fp8 = ref.judge([_NAN, 448.0, -448.0], [500.0, 1e4, 1e4], [30.0, 30.0, 30.0], E4M3FN)
    assert fp8.accepted.tolist() == [True, True, False]
    assert ref.judge([_NAN, 448.0], [_INF, _INF], [0.0, 0.0], E4M3FN).accepted.all()


def test_an_infinite_bound_determines_nothing() -> None:
    judged = ref.judge([_NAN, 1.0], [5.0, 1.0], [_INF, _INF])
    assert judged.accepted.all()
    assert not judged.determined.any()
    assert judged.worst == 0
    assert np.isnan(judged.ratio).all()


def test_a_bound_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[-1\.\] is no bound"):
        ref.judge([1.0], [1.0], [-1.0])
    with pytest.raises(ValueError, match=r"\[nan\] is no bound"):
        ref.judge([1.0], [1.0], [_NAN])
    with pytest.raises(ValueError, match=r"actual \(2,\), reference \(1,\)"):
        ref.judge([1.0, 2.0], [1.0], [1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ref.softmax(np.array(["a"])), TypeError, "x: dtype <U1"),
        (lambda: ref.softmax(np.array([1, None])), TypeError, "x: dtype object"),
        (lambda: ref.softmax(np.array([1j])), TypeError, "x: dtype complex128"),
        (lambda: ref.softmax(np.float32(1)), ValueError, r"x: needs at least 1 .* shape is \(\)"),
        (lambda: ref.softmax(np.ones(2), mask=np.ones(2)), TypeError, "mask: dtype float64"),
        (lambda: ref.reduce_sum(np.array([2**53 + 1])), TypeError, "from 2\\^53 on"),
        (lambda: ref.gemm(np.ones((2, 3)), np.ones((4, 5))), ValueError, "inner sizes 3 and 4"),
        (lambda: ref.gemm(np.ones((2, 3)), np.ones(3)), ValueError, r"b: needs at least 2"),
        (lambda: ref.gemm(np.ones((2, 2)), np.ones((2, 2)), beta=1), ValueError, "c: needed"),
        (lambda: ref.rms_norm(np.ones((2, 3)), np.ones(2)), ValueError, r"weight: shape \(2,\)"),
        (lambda: ref.argmax(np.ones((2, 0))), ValueError, r"empty row, its shape is \(2, 0\)"),
        (lambda: ref.rope(np.ones((3, 1, 4)), np.ones(3)), TypeError, "positions: dtype float64"),
        (lambda: ref.rope(np.ones((3, 1, 4)), np.arange(2)), ValueError, r"shape \(2,\)"),
        (
            lambda: ref.quantised_gemv(np.zeros(18, np.uint8), "Q4_0", np.ones(31)),
            ValueError,
            "32 elements are no rows of x's 31",
        ),
    ],
)
def test_wrong_arguments_are_refused_with_their_value(
    call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
def test_empty_arrays_give_empty_results(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, dtype=np.float32)
    for name in ("softmax", "rms_norm", "layer_norm", "silu", "gelu", "prefix_sum"):
        assert getattr(ref, name)(x).shape == shape
        assert getattr(bounds, name)(x).shape == shape
    for name in ("reduce_sum", "reduce_max"):
        assert getattr(ref, name)(x).shape == getattr(bounds, name)(x).shape == shape[:-1]


def test_strides_and_read_only_arrays_change_nothing() -> None:
    x = np.random.default_rng(0).normal(0, 1, (6, 40)).astype(np.float32)
    view = np.asfortranarray(x)[::2, ::-3]
    view.setflags(write=False)
    plain = np.ascontiguousarray(view)
    for name in ("softmax", "rms_norm", "layer_norm", "gelu", "reduce_sum", "prefix_sum"):
        np.testing.assert_allclose(getattr(ref, name)(view), getattr(ref, name)(plain), rtol=1e-14)
        np.testing.assert_allclose(getattr(bounds, name)(view), getattr(bounds, name)(plain))


def test_small_dtypes_are_taken_exactly() -> None:
    x = np.random.default_rng(1).normal(0, 1, (3, 40))
    for dtype in (np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
        small = x.astype(dtype)
        np.testing.assert_array_equal(ref.softmax(small), ref.softmax(small.astype(np.float64)))


@pytest.mark.parametrize("out", [FP16, BF16, E4M3FN], ids=lambda f: f.name)
def test_storing_adds_the_formats_rounding_and_underflow(out: Any) -> None:
    x = np.array([1.0, 1e-12], dtype=np.float32)
    stored = bounds.silu(x, out=out)
    plain = bounds.silu(x)
    assert stored[0] == pytest.approx(out.unit_roundoff * float(ref.silu(x)[0]), rel=1e-2, abs=2e-3)
    assert stored[1] >= plain[1] + out.min_subnormal / 2


_ULP_TABLE = Path(__file__).parents[2] / "harness" / "hipaudit" / "native" / "math_ulp.json"


def test_the_devices_tables_cover_the_published_one() -> None:
    published = json.loads(_ULP_TABLE.read_text())["functions"]
    for name in ("exp", "exp2", "log", "log2", "log10", "rsqrt", "sqrt", "sin", "cos", "tanh"):
        assert getattr(EMULATED, name) >= 2 * published[f"{name}f"]["ours"]
        assert getattr(AMD, name) >= 2 * published[f"{name}f"]["amd"]
    for name in ("erf", "erfc", "pow"):
        assert getattr(EMULATED, name) >= 2 * published[f"{name}f"]["ours"]
        assert getattr(AMD, name) >= 2 * published[f"{name}f"]["amd"]


def test_devices_have_the_documented_order() -> None:
    for field in ("exp", "log", "rsqrt", "sin", "tanh", "erf"):
        assert 1 <= getattr(EMULATED, field) <= getattr(AMD, field)
    assert AMD.exp == 3
    assert set(DEVICES) == {"emulated", "amd", "amd-fast"}
    assert EMULATED.underflow(FP32) == 2.0**-150
    assert DEVICES["amd-fast"].underflow(FP32) == FP32.min_normal
