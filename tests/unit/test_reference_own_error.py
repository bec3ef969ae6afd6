"""Each float64 reference is nearer to the truth than a hundredth of its bound, and says so.

One case per reference, in its hardest honest form: cancelling sums, offset logits, far positions,
fp32's largest and smallest numbers. `--log-cli-level=info` shows the worst ratio of each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds, exact
from hipaudit_reference.formats import ggml, mx
from hipaudit_reference.proof import LIMIT, own_error
from hipaudit_reference.summation import Kahan, Tree

_SPOTS = 24
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """Arguments of a reference, and the keywords that make its bound smallest."""

    name: str
    arguments: tuple[Any, ...]
    tightest: dict[str, Any]


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def _f32(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)


def _cancelling(generator: np.random.Generator, rows: int, columns: int) -> Any:
    """Rows whose sum is nearly 0 and whose magnitudes add up to 1e8."""
    x = generator.normal(0, 1e8 / columns, (rows, columns))
    return _f32(x - x.mean(axis=1, keepdims=True))


def _wide(generator: np.random.Generator, *shape: int) -> Any:
    """Magnitudes from subnormal to 1e30, signs at random."""
    return _f32(generator.normal(0, 1, shape) * 10.0 ** generator.uniform(-42, 30, shape))


def _elementwise(name: str) -> Case:
    g = _generator(name)
    x = np.concatenate([_f32(g.normal(0, 4, 600)), _f32(g.uniform(-110, 110, 600)), _wide(g, 300)])
    y = _f32(g.normal(0, 1, x.shape))
    arguments = {
        "add": (x, -x * np.float32(1.0000001)),
        "scale": (x, 0.1),
        "swiglu": (x, y),
        "glu": (y, x),
    }
    return Case(name, arguments.get(name, (x,)), {"complement": True} if name == "gelu" else {})


def _norm(name: str) -> Case:
    g = _generator(name)
    rows = np.stack([_f32(g.normal(0, 1, 512)), _wide(g, 512) * np.float32(1e-12)])
    rows = np.concatenate([rows, _cancelling(g, 2, 512), _f32(g.normal(1e4, 1, (2, 512)))])
    weight = _f32(g.normal(1, 0.2, 512))
    arguments = {
        "rms_norm": (rows, weight, 1e-6),
        "layer_norm": (rows, weight, _f32(g.normal(0, 1, 512)), 1e-6),
        "residual_rms_norm": (rows, -rows * np.float32(0.999), weight, 1e-6),
    }
    return Case(name, arguments[name], {"height": Tree(9)})


def _heads(name: str) -> Case:
    g = _generator(name)
    q, k, v = (_f32(g.normal(0, s, (n, 24, 16))) for s, n in ((4, 4), (4, 2), (1, 2)))
    if name == "attention":
        return Case(name, (q, k, v, None, True, 9, 30.0), {"height": Tree(5)})
    if name == "mla_attention":
        latent, rotary = _f32(g.normal(0, 3, (24, 16))), _f32(g.normal(0, 3, (24, 16)))
        return Case(name, (q, q, latent, rotary, 0.2), {"height": Tree(5)})
    if name == "mla_project":
        return Case(name, (q[0], _cancelling(g, 16, 12), None, 1e-6), {"height": Tree(4)})
    if name == "relative_attention":
        k, v = np.repeat(k, 2, axis=0), np.repeat(v, 2, axis=0)
        encoding, bias = _f32(g.normal(0, 1, (4, 47, 16))), _f32(g.normal(0, 1, (2, 4, 16)))
        return Case(name, (q, k, v, encoding, bias[0], bias[1]), {"height": Tree(5)})
    pages = _f32(g.normal(0, 2, (2, 6, 8, 2, 16)))
    table, lengths = np.array([[5, 0, 2], [3, 1, -1], [4, 4, 4]]), np.array([23, 9, 0])
    query = _f32(g.normal(0, 4, (3, 4, 16)))
    return Case(name, (query, *pages, table, lengths, 0.3, 12), {"height": Tree(5)})


def _product(name: str) -> Case:
    g = _generator(name)
    a, b = _cancelling(g, 7, 300), _f32(g.normal(0, 1, (300, 5)))
    if name in ("gemm", "gemv"):
        more = (b, _f32(g.normal(0, 1, (7, 5))), 0.7, -1.3) if name == "gemm" else (b[:, 0],)
        return Case(name, (a, *more), {"height": Tree(9)})
    if name == "grouped_gemm":
        weights = _f32(g.normal(0, 1, (3, 300, 5)))
        return Case(name, (a, weights, np.array([0, 2, 2, 7])), {"height": Tree(9)})
    blocks = g.integers(0, 256, (6, ggml.BLOCK_TYPES["Q4_K"].bytes), dtype=np.uint8)
    # Finite scales: exponents of 15 at most.
    blocks[:, [1, 3]] &= 0x3F
    x = _f32(g.normal(0, 1, 256 if name == "quantised_gemv" else (3, 256)))
    return Case(name, (blocks, "Q4_K", x), {"height": Tree(8)})


def _row(name: str) -> Case:
    g = _generator(name)
    if name == "softmax":
        x = np.stack([g.normal(1e4, 5, 700), g.normal(0, 40, 700), np.zeros(700)])
        return Case(name, (_f32(x), None, 0.7), {"height": Tree(10)})
    x = np.concatenate([_cancelling(g, 3, 700), _wide(g, 3, 700)])
    return Case(name, (x,), {"height": Kahan()})


def _expert(name: str) -> Case:
    g = _generator(name)
    if name == "router":
        return Case(name, (_f32(g.normal(0, 3, (9, 16))), 4), {"height": Tree(4)})
    source, _ = ref.permute(g.integers(0, 5, (6, 3)), 5)
    return Case(name, (_f32(g.normal(0, 9, (18, 8))), _f32(g.normal(0, 1, (6, 3))), source), {})


def _position(name: str) -> Case:
    g = _generator(name)
    positions = np.array([0, 1, 511, 512, 131071, 2**20])
    x = _f32(g.normal(0, 1, (6, 2, 64)))
    if name == "rope":
        return Case(name, (x, positions, 500000.0, "interleaved", 48), {"frequencies": "table"})
    cache = _f32(g.normal(0, 1, (2, 9, 2, 64)))
    slots = np.array([8, 0, 3, 5, 1, 2])
    return Case(name, (*cache, x, x, slots, positions), {"frequencies": "table"})


def _sample(name: str) -> Case:
    g = _generator(name)
    if name == "renormalise":
        p = _f32(g.dirichlet(np.ones(400), 3))
        return Case(name, (p, ref.top_p(p, 0.8)), {"height": Kahan()})
    logits = _f32(g.normal(0, 9, (3, 50)))
    extra = (0.7,) if name == "temperature" else (g.random((3, 50)) < 0.3, 1.1)
    return Case(name, (logits, *extra), {})


def _sound(name: str) -> Case:
    g = _generator(name)
    tone = np.sin(np.arange(400) * 0.3) + 1e-3 * g.normal(0, 1, 400)
    if name == "power_spectrum":
        return Case(name, (_f32(tone), ref.hann(64), 32), {"twiddle": 1.0})
    if name == "log_mel":
        filters = ref.mel_filters(10, 64, 16000)
        return Case(name, (_f32(tone), ref.hann(64), filters, 32), {"height": Tree(6)})
    x = _cancelling(g, 6, 40)
    if name == "conv1d_depthwise":
        weight, bias = _f32(g.normal(0, 1, (6, 9))), _f32(g.normal(0, 1, 6))
        return Case(name, (x, weight, bias, 4), {"height": Tree(4)})
    weight, bias = _f32(g.normal(0, 1, (3, 6))), _f32(g.normal(0, 1, 3))
    return Case(name, (x, weight, bias), {"height": Tree(3)})


_FAMILIES: dict[Callable[[str], Case], tuple[str, ...]] = {
    _elementwise: ("add", "scale", "silu", "swiglu", "glu", "gelu", "gelu_tanh"),
    _norm: ("rms_norm", "layer_norm", "residual_rms_norm"),
    _heads: (
        "attention",
        "mla_attention",
        "mla_project",
        "relative_attention",
        "paged_attention",
    ),
    _product: ("gemm", "gemv", "grouped_gemm", "quantised_gemv", "quantised_gemm"),
    _row: ("softmax", "reduce_sum", "prefix_sum"),
    _expert: ("router", "combine"),
    _position: ("rope", "kv_append"),
    _sample: ("renormalise", "temperature", "repetition_penalty"),
    _sound: ("power_spectrum", "log_mel", "conv1d_depthwise", "conv1d_pointwise"),
}
_MAKERS = {name: maker for maker, names in _FAMILIES.items() for name in names}


def _first(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, tuple) else outputs


@pytest.mark.parametrize("name", sorted(_MAKERS))
def test_own_error_is_below_a_hundredth_of_the_bound(name: str) -> None:
    case = _MAKERS[name](name)
    value = _first(getattr(ref, name)(*case.arguments))
    bound = _first(getattr(bounds, name)(*case.arguments, **case.tightest))
    assert value.shape == bound.shape
    assert value.dtype == bound.dtype == np.float64
    assert np.mean(np.isfinite(bound)) > 0.9
    flat = _generator(name).choice(value.size, min(value.size, _SPOTS), replace=False)
    # Among the spots: where the bound is smallest for the size of the result.
    flat = np.append(flat, np.argsort((bound / (np.abs(value) + 1e-30)).reshape(-1))[:4])
    indices = [tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in flat]

    def spot(*, at: tuple[int, ...]) -> Any:
        return getattr(exact, name)(*case.arguments, at=at)

    worst = own_error(value, bound, spot, indices)
    _LOG.info("%s: own error %.1e of the bound, at %s", name, worst.ratio, worst.at)
    assert worst.proven, worst


@pytest.mark.parametrize("name", sorted(_MAKERS))
def test_a_bound_takes_the_assumed_device(name: str) -> None:
    case = _MAKERS[name](name)

    def bound() -> Any:
        return _first(getattr(bounds, name)(*case.arguments, **case.tightest))

    with bounds.assuming(bounds.AMD.truncating()):
        doubled = bound()
    given = getattr(bounds, name)(*case.arguments, **case.tightest, device=bounds.AMD.truncating())
    np.testing.assert_array_equal(doubled, _first(given))
    assert np.all(doubled >= bound())
    assert np.any(doubled > bound())
    np.testing.assert_array_equal(
        bound(), _first(getattr(bounds, name)(*case.arguments, **case.tightest, device=bounds.AMD))
    )


def test_every_reference_with_a_bound_has_its_case() -> None:
    exactly = {"convert", "dequantise", "embedding", "kv_replicate", "reduce_max", "transpose"}
    computed = {name for name in bounds.__all__ if callable(getattr(ref, name, None))}
    assert computed - exactly == set(_MAKERS)
    assert set(exact.__all__) == set(_MAKERS)


def test_a_reference_that_is_off_is_not_proven() -> None:
    x = _f32(np.linspace(-3, 3, 20))
    bound = bounds.softmax(x)

    def spot(*, at: tuple[int, ...]) -> Any:
        return exact.softmax(x, at=at)

    wrong = own_error(ref.softmax(x) + LIMIT * 2 * bound, bound, spot)
    assert not wrong.proven
    assert wrong.ratio == pytest.approx(2 * LIMIT, rel=1e-3)
    assert own_error(np.full(20, np.nan), bound, spot).ratio == np.inf
    assert own_error(ref.softmax(x), np.full(20, np.inf), spot).ratio == 0


def test_mx_and_ggml_kinds_do_not_collide() -> None:
    assert not set(mx.MX_KINDS) & set(ggml.BLOCK_TYPES)
