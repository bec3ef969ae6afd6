"""Bounds of row and elementwise kernels hold for fp32 kernels, and reject wrong ones.

The kernels are written here in NumPy's float32, with the transcendental functions pushed to the
edge of what the device's table allows: the bound must hold for the worst device, not for ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.analysis import simulate
from hipaudit_reference.bounds import AMD, EMULATED, DeviceErrors
from hipaudit_reference.formats import BF16, FP16, FP32, round_to
from hipaudit_reference.references.elementwise import erf, erfc, gelu_argument
from hipaudit_reference.summation import Strided

Array = Any
_U = FP32.unit_roundoff
_LANES = 64


def _off(exact: Array, error: float, generator: np.random.Generator) -> Array:
    """A function's result moved by up to its documented error (in u), rounding included."""
    sign = generator.choice([-1.0, 1.0], np.shape(exact))
    return (exact * (1 + sign * (error - 1) * _U)).astype(np.float32)


def _softmax(x: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    peak = np.max(x, axis=-1, keepdims=True)
    shifted = x - np.where(peak == -np.inf, np.float32(0), peak)
    power = _off(np.exp(shifted.astype(np.float64)), device.exp, generator)
    total = simulate.strided(power, _LANES)[..., None]
    return np.where(total == 0, np.float32(0), power / total)


def _rms_norm(x: Array, w: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    mean = simulate.strided(x * x, _LANES)[..., None] / np.float32(x.shape[-1])
    inverse = _off(
        1 / np.sqrt((mean + np.float32(1e-5)).astype(np.float64)), device.rsqrt, generator
    )
    return x * inverse * w


def _layer_norm(x: Array, w: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    n = np.float32(x.shape[-1])
    centred = x - simulate.strided(x, _LANES)[..., None] / n
    variance = simulate.strided(centred * centred, _LANES)[..., None] / n
    inverse = _off(
        1 / np.sqrt((variance + np.float32(1e-5)).astype(np.float64)), device.rsqrt, generator
    )
    return centred * inverse * w + w


def _sigmoid(x: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    power = _off(np.exp(-x.astype(np.float64)), device.exp, generator)
    return np.float32(1) / (np.float32(1) + power)


def _gelu(x: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    z = (x * np.float32(np.sqrt(0.5))).astype(np.float64)
    return np.float32(0.5) * x * (np.float32(1) + _off(erf(z), device.erf, generator))


def _gelu_complement(x: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    z = (x * np.float32(-np.sqrt(0.5))).astype(np.float64)
    return np.float32(0.5) * x * _off(erfc(z), device.erfc, generator)


def _gelu_tanh(x: Array, device: DeviceErrors, generator: np.random.Generator) -> Array:
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    tanh = _off(np.tanh(inner.astype(np.float64)), device.tanh, generator)
    return np.float32(0.5) * x * (np.float32(1) + tanh)


def _logits(name: str) -> Array:
    g = np.random.default_rng(list(name.encode()))
    shape = (8, 777)
    x = {
        "normal": g.normal(0, 3, shape),
        "wide": g.normal(0, 60, shape),
        "offset": 1e4 + g.normal(0, 3, shape),
        "ties": np.zeros(shape),
        "one-hot": np.where(np.arange(777) == 5, 90.0, 0.0) * np.ones(shape),
        "masked": np.where(g.random(shape) < 0.5, -np.inf, g.normal(0, 9, shape)),
    }[name]
    return x.astype(np.float32)


_LOGITS = ("normal", "wide", "offset", "ties", "one-hot", "masked")


def _ratio(actual: Array, reference: Array, bound: Array, out: Any = FP32) -> float:
    return ref.judge(actual, reference, bound, out).worst


@pytest.mark.parametrize("device", [EMULATED, AMD], ids=lambda d: d.name)
@pytest.mark.parametrize("name", _LOGITS)
def test_softmax_bound_holds(name: str, device: DeviceErrors) -> None:
    x = _logits(name)
    actual = _softmax(x, device, np.random.default_rng(0))
    bound = bounds.softmax(x, height=Strided(_LANES), device=device)
    assert 0.005 < _ratio(actual, ref.softmax(x), bound) <= 1


def _without_maximum(x: Array) -> Array:
    power = np.exp(x)
    return power / np.sum(power, axis=-1, keepdims=True)


def _only_some_lanes(x: Array) -> Array:
    power = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return power / np.sum(power[..., : x.shape[-1] // 2], axis=-1, keepdims=True)


_SOFTMAX_FAULTS: dict[str, Callable[[Array], Array]] = {
    "zeros": np.zeros_like,
    "x1.0009": lambda x: ref.softmax(x) * 1.0009,
    "x1.00001": lambda x: ref.softmax(x) * 1.00001,
    "rounded to fp16": lambda x: round_to(ref.softmax(x), FP16),
    "no maximum": _without_maximum,
    "half of the lanes": _only_some_lanes,
    "first element 0": lambda x: np.where(np.arange(x.shape[-1]) == 0, 0, ref.softmax(x)),
}


@pytest.mark.parametrize("fault", _SOFTMAX_FAULTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_softmax_bound_rejects(fault: str) -> None:
    inputs = [_logits(name) for name in _LOGITS]
    wrong = [_SOFTMAX_FAULTS[fault](x) for x in inputs]
    ratios = [
        _ratio(y, ref.softmax(x), bounds.softmax(x, height=Strided(_LANES), device=AMD))
        for x, y in zip(inputs, wrong, strict=True)
    ]
    assert max(ratios) > 1


def test_softmax_bound_covers_a_folded_base() -> None:
    x = _logits("normal") * np.float32(30)
    c = np.float32(np.log2(np.e))
    shifted = x * c - np.max(x * c, axis=-1, keepdims=True)
    power = np.exp2(shifted.astype(np.float64)).astype(np.float32)
    actual = power / np.sum(power, axis=-1, keepdims=True)
    assert _ratio(actual, ref.softmax(x), bounds.softmax(x, folded_base=True)) <= 1
    assert _ratio(actual, ref.softmax(x), bounds.softmax(x, height=Strided(_LANES))) > 1


def test_softmax_bound_covers_a_fast_exponential() -> None:
    x = _logits("wide")[:, :16]
    shifted = (x - np.max(x, axis=-1, keepdims=True)) * np.float32(np.log2(np.e))
    power = np.exp2(shifted.astype(np.float64)).astype(np.float32)
    actual = power / np.sum(power, axis=-1, keepdims=True)
    fast = replace(EMULATED, exp_slope=2.0)
    assert _ratio(actual, ref.softmax(x), bounds.softmax(x, height=4, device=fast)) <= 1
    assert _ratio(actual, ref.softmax(x), bounds.softmax(x, height=4)) > 1


@pytest.mark.parametrize("out", [FP16, BF16], ids=lambda f: f.name)
def test_softmax_bound_covers_storing(out: Any) -> None:
    x = _logits("normal")
    actual = round_to(_softmax(x, EMULATED, np.random.default_rng(1)), out)
    bound = bounds.softmax(x, height=Strided(_LANES), out=out)
    assert 0.5 < _ratio(actual, ref.softmax(x), bound, out) <= 1
    assert _ratio(actual * (1 + 8 * out.unit_roundoff), ref.softmax(x), bound, out) > 1


_NORM_ROWS = ("normal", "small", "large", "cancelling", "offset", "subnormal", "zero")


def _norm_rows(name: str) -> Array:
    g = np.random.default_rng(list(name.encode()))
    x = g.normal(0, 1, (6, 576))
    x = {
        "normal": x,
        "small": x * 1e-18,
        "large": x * 1e15,
        "cancelling": (x - x.mean(axis=1, keepdims=True)) * 1e5,
        "offset": x + 1e4,
        "subnormal": x * 1e-40,
        "zero": x * 0,
    }[name]
    return x.astype(np.float32)


@pytest.mark.parametrize("device", [EMULATED, AMD], ids=lambda d: d.name)
@pytest.mark.parametrize("name", _NORM_ROWS)
@pytest.mark.parametrize("kind", ["rms_norm", "layer_norm"])
def test_norm_bound_holds(kind: str, name: str, device: DeviceErrors) -> None:
    x, weight = _norm_rows(name), _norm_rows("normal")[0]
    options: dict[str, Any] = {"height": Strided(_LANES), "device": device}
    generator = np.random.default_rng(2)
    if kind == "rms_norm":
        ratio = _ratio(
            _rms_norm(x, weight, device, generator),
            ref.rms_norm(x, weight),
            bounds.rms_norm(x, weight, **options),
        )
    else:
        ratio = _ratio(
            _layer_norm(x, weight, device, generator),
            ref.layer_norm(x, weight, weight),
            bounds.layer_norm(x, weight, weight, **options),
        )
    assert ratio <= 1
    assert ratio > 0.05 or name in ("subnormal", "zero", "small", "offset", "large")


@pytest.mark.parametrize(
    "fault",
    [
        lambda x: ref.rms_norm(x) * 1.0003,
        lambda x: -ref.rms_norm(x),
        lambda x: round_to(ref.rms_norm(x), BF16),
        lambda x: ref.rms_norm(round_to(x, FP16)),
        lambda x: ref.rms_norm(x, eps=1e-4),
    ],
    ids=["x1.0003", "sign", "bf16", "fp16 in", "epsilon"],
)
def test_rms_norm_bound_rejects(fault: Callable[[Array], Array]) -> None:
    x = _norm_rows("normal")
    assert _ratio(fault(x), ref.rms_norm(x), bounds.rms_norm(x)) > 1


def test_rms_norm_is_not_determined_where_squares_overflow() -> None:
    x = np.full((2, 4), 1e19, dtype=np.float32)
    x[1] = 1
    bound = bounds.rms_norm(x)
    assert np.all(np.isinf(bound[0]))
    assert np.all(np.isfinite(bound[1]))


def test_one_pass_layer_norm_needs_its_own_bound() -> None:
    x = _norm_rows("normal") + np.float32(30)
    n = np.float32(x.shape[-1])
    mean = simulate.strided(x, _LANES)[..., None] / n
    variance = simulate.strided(x * x, _LANES)[..., None] / n - mean * mean
    actual = (x - mean) / np.sqrt(variance + np.float32(1e-5))
    exact = ref.layer_norm(x)
    one_pass = bounds.layer_norm(x, one_pass=True, height=Strided(_LANES))
    assert _ratio(actual, exact, one_pass) <= 1
    assert _ratio(actual, exact, bounds.layer_norm(x, height=Strided(_LANES))) > 0.5


@pytest.mark.parametrize("from_stored", [False, True])
def test_residual_norm_bound_holds(from_stored: bool) -> None:
    x, residual = _norm_rows("normal"), _norm_rows("cancelling") * np.float32(1e-5)
    weight = np.ones(x.shape[-1], dtype=np.float32)
    kept = round_to(x + residual, FP16)
    row = kept.astype(np.float32) if from_stored else x + residual
    y = round_to(_rms_norm(row, weight, AMD, np.random.default_rng(3)), FP16)
    expected = ref.residual_rms_norm(x, residual)
    allowed = bounds.residual_rms_norm(x, residual, from_stored=from_stored, out=FP16, device=AMD)
    for actual, exact, bound in zip((y, kept), expected, allowed, strict=True):
        assert 0.1 < _ratio(actual, exact, bound, FP16) <= 1
    if from_stored:
        tight = bounds.residual_rms_norm(x, residual, out=FP16, device=AMD)
        assert _ratio(y, expected[0], tight[0], FP16) > 1


def _values() -> Array:
    g = np.random.default_rng(4)
    spread = g.normal(0, 1, 3000) * 10.0 ** g.uniform(-44, 38, 3000)
    special = [0.0, -0.0, 88.7, -88.7, -88.73, -89.0, -103.9, -104.0, 1e38, -1e38, -1e30]
    return np.concatenate(
        [g.normal(0, 5, 3000), g.uniform(-120, 120, 3000), spread, special]
    ).astype(np.float32)


_Run = Callable[[Array, Array, DeviceErrors, np.random.Generator], tuple[Array, Array, Array]]

# x, y, device, generator > what the kernel gives, the reference, the bound
_ELEMENTWISE: dict[str, _Run] = {
    "silu": lambda x, _, d, g: (x * _sigmoid(x, d, g), ref.silu(x), bounds.silu(x, device=d)),
    "swiglu": lambda x, y, d, g: (
        x * _sigmoid(x, d, g) * y,
        ref.swiglu(x, y),
        bounds.swiglu(x, y, device=d),
    ),
    "glu": lambda x, y, d, g: (
        y * _sigmoid(x, d, g),
        ref.glu(y, x),
        bounds.glu(y, x, device=d),
    ),
    "gelu": lambda x, _, d, g: (_gelu(x, d, g), ref.gelu(x), bounds.gelu(x, device=d)),
    "gelu by erfc": lambda x, _, d, g: (
        _gelu_complement(x, d, g),
        ref.gelu(x),
        bounds.gelu(x, complement=True, device=d),
    ),
    "gelu_tanh": lambda x, _, d, g: (
        _gelu_tanh(x, d, g),
        ref.gelu_tanh(x),
        bounds.gelu_tanh(x, device=d),
    ),
    "scale": lambda x, _, d, __: (
        x * np.float32(0.1),
        ref.scale(x, 0.1),
        bounds.scale(x, 0.1, device=d),
    ),
    "add": lambda x, _, d, __: (
        x + np.roll(x, 1),
        ref.add(x, np.roll(x, 1)),
        bounds.add(x, np.roll(x, 1), device=d),
    ),
}


@pytest.mark.parametrize("device", [EMULATED, AMD], ids=lambda d: d.name)
@pytest.mark.parametrize("name", _ELEMENTWISE)
def test_elementwise_bound_holds_and_can_fail(name: str, device: DeviceErrors) -> None:
    x, generator = _values(), np.random.default_rng(5)
    y = generator.normal(0, 1, x.shape).astype(np.float32)
    with np.errstate(all="ignore"):
        actual, exact, bound = _ELEMENTWISE[name](x, y, device, generator)
    judged = ref.judge(actual, exact, bound)
    assert np.all(judged.determined)
    assert 0.3 < judged.worst <= 1
    for wrong in (exact * 1.00001, -exact, np.zeros_like(exact), round_to(exact, BF16)):
        assert ref.judge(wrong, exact, bound).worst > 1


def test_silu_may_vanish_where_its_exponential_overflows() -> None:
    x = np.array([-88.73, -88.0], dtype=np.float32)
    judged = ref.judge(np.zeros(2), ref.silu(x), bounds.silu(x))
    assert judged.accepted.tolist() == [True, False]


def test_a_flushing_device_gets_room_below_the_normal_range() -> None:
    x = np.array([[1e-40, 2e-40, 3.0]], dtype=np.float32)
    flushing = EMULATED.flushing()
    flushed = np.array([[0.0, 0.0, 3.0]])
    assert _ratio(flushed * 2, ref.scale(x, 2.0), bounds.scale(x, 2.0, device=flushing)) <= 1
    assert _ratio(flushed * 2, ref.scale(x, 2.0), bounds.scale(x, 2.0)) > 1
    row = np.array([[1e-40, 2e-39, -3e-40]], dtype=np.float32)
    for device, holds in ((flushing, True), (EMULATED, False)):
        bound = bounds.rms_norm(row, device=device)
        assert (_ratio(np.zeros((1, 3)), ref.rms_norm(row), bound) <= 1) is holds


def test_a_truncating_device_doubles_the_unit() -> None:
    truncating = EMULATED.truncating()
    x = np.linspace(1, 2, 9, dtype=np.float32)
    np.testing.assert_allclose(
        bounds.reduce_sum(x, device=truncating), 2 * bounds.reduce_sum(x), rtol=1e-12
    )


def test_gelu_argument_is_odd() -> None:
    x = _values().astype(np.float64)
    np.testing.assert_array_equal(gelu_argument(-x), -gelu_argument(x))
