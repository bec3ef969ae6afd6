"""Bounds of attention and RoPE hold for fp32 kernels of several shapes, and reject wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.bounds import AMD, AMD_FAST
from hipaudit_reference.formats import BF16, FP16, FP32, Format, round_to
from hipaudit_reference.references.attentions import arrange

Array = Any
_U = FP32.unit_roundoff


def _worst(actual: Array, exact: Array, bound: Array, out: Format = FP32) -> float:
    judged = ref.judge(actual, exact, bound, out)
    assert np.all(judged.determined)
    return judged.worst


def _exp(x: Array, generator: np.random.Generator) -> Array:
    """AMD's expf at its documented worst."""
    exact = np.exp(x.astype(np.float64))
    sign = generator.choice([-1.0, 1.0], np.shape(exact))
    return (exact * (1 + sign * (AMD.exp - 1) * _U)).astype(np.float32)


def _flash(
    q: Array,
    k: Array,
    v: Array,
    tile: int,
    *,
    softcap: float | None = None,
    rounded: Format | None = None,
    maximum: bool = True,
    **options: Any,
) -> Array:
    """Flash attention in fp32: tiles of keys, running maximum, one division at the end."""
    generator = np.random.default_rng(21)
    heads = arrange(
        q, k, v, options.get("causal", False), options.get("window"), options.get("mask")
    )
    queries, keys, values = (x.astype(np.float32) for x in (heads.q, heads.k, heads.v))
    keep = np.broadcast_to(heads.keep, (*queries.shape[:-1], keys.shape[-2]))
    peak = np.full(queries.shape[:-1], -np.inf, dtype=np.float32)
    total = np.zeros_like(peak)
    out = np.zeros((*queries.shape[:-1], values.shape[-1]), dtype=np.float32)
    scale = np.float32(1 / np.sqrt(queries.shape[-1]))
    for start in range(0, keys.shape[-2], tile):
        part = slice(start, start + tile)
        s = queries @ np.swapaxes(keys[..., part, :], -1, -2) * scale
        if softcap is not None:
            s = np.float32(softcap) * np.tanh(s / np.float32(softcap))
        s = np.where(keep[..., part], s, np.float32(-np.inf))
        high = np.maximum(peak, np.max(s, axis=-1)) if maximum else np.zeros_like(peak)
        base = np.where(high == -np.inf, np.float32(0), high)
        p = _exp(s - base[..., None], generator)
        rescale = _exp(np.where(peak == -np.inf, np.float32(-np.inf), peak - base), generator)
        rescale = rescale if maximum else np.ones_like(rescale)
        total = total * rescale + np.sum(p, axis=-1)
        p = p if rounded is None else round_to(p, rounded).astype(np.float32)
        out = out * rescale[..., None] + p @ values[..., part, :]
        peak = high
    return out / np.where(total == 0, np.float32(1), total)[..., None]


def _tensors(kind: str, dtype: Any = np.float32) -> tuple[Array, Array, Array]:
    g = np.random.default_rng(list(kind.encode()))
    q, k, v = g.normal(0, 1, (4, 70, 40)), g.normal(0, 1, (2, 90, 40)), g.normal(0, 1, (2, 90, 24))
    if kind == "sharp":
        q, k = q * 12, k * 12
    if kind == "offset":
        k = k + 30
    if kind == "cancelling":
        v[:, 45:] = -v[:, :45]
        k[:, 45:] = k[:, :45]
    if kind == "equal":
        q, k, v = (np.full_like(x, 133120) for x in (q, k, v))
    if kind == "positive":
        v = np.abs(v)
    return q.astype(dtype), k.astype(dtype), v.astype(dtype)


_KINDS = ("normal", "sharp", "offset", "cancelling", "positive", "equal")


@pytest.mark.parametrize("kind", _KINDS)
def test_attention_bound_holds_over_tiles(kind: str) -> None:
    q, k, v = _tensors(kind)
    exact = ref.attention(q, k, v)
    bound = bounds.attention(q, k, v, tiles=6, device=AMD)
    worst = _worst(_flash(q, k, v, 16), exact, bound)
    assert worst <= 1
    assert worst > 1e-4 or kind == "equal"


@pytest.mark.parametrize(
    "options",
    [
        {"causal": True},
        {"causal": True, "window": 9},
        {"softcap": 5.0},
        {"mask": np.random.default_rng(22).random((70, 90)) < 0.3},
        {"mask": np.arange(70)[:, None] > 10 + 0 * np.arange(90)},
    ],
    ids=["causal", "window", "softcap", "mask", "masked rows"],
)
def test_attention_bound_holds_with(options: dict[str, Any]) -> None:
    q, k, v = _tensors("normal")
    exact = ref.attention(q, k, v, **options)
    bound = bounds.attention(q, k, v, **options, tiles=6, device=AMD)
    assert 1e-3 < _worst(_flash(q, k, v, 16, **options), exact, bound) <= 1
    other = ref.attention(q, k, v)
    assert _worst(other, exact, bound) > 1


@pytest.mark.parametrize("rounded", [FP16, BF16], ids=lambda f: f.name)
def test_attention_with_rounded_probabilities(rounded: Format) -> None:
    dtype = np.float16 if rounded == FP16 else ml_dtypes.bfloat16
    q, k, v = _tensors("positive", dtype)
    actual = round_to(_flash(q, k, v, 32, rounded=rounded), rounded)
    exact = ref.attention(q, k, v)
    bound = bounds.attention(q, k, v, tiles=3, probabilities=rounded, out=rounded, device=AMD)
    assert 0.1 < _worst(actual, exact, bound, rounded) <= 1
    assert _worst(_flash(q, k, v, 32, rounded=rounded), exact, bounds.attention(q, k, v)) > 1


_ATTENTION_FAULTS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "zeros": lambda q, k, v: np.zeros_like(ref.attention(q, k, v)),
    "no running maximum": lambda q, k, v: _flash(q, k, v, 16, maximum=False),
    "x1.001": lambda q, k, v: 1.001 * ref.attention(q, k, v),
    "scale of the other size": lambda q, k, v: ref.attention(q, k, v, 1 / np.sqrt(24)),
    "last key lost": lambda q, k, v: ref.attention(q, k[:, :-1], v[:, :-1]),
    "heads in the wrong group": lambda q, k, v: ref.attention(q[[0, 2, 1, 3]], k, v)[[0, 2, 1, 3]],
    "fp16 probabilities": lambda q, k, v: _flash(q, k, v, 16, rounded=FP16),
}


@pytest.mark.parametrize("fault", _ATTENTION_FAULTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_attention_bound_rejects(fault: str) -> None:
    ratios = []
    for kind in _KINDS:
        q, k, v = _tensors(kind)
        bound = bounds.attention(q, k, v, tiles=6, device=AMD)
        ratios.append(_worst(_ATTENTION_FAULTS[fault](q, k, v), ref.attention(q, k, v), bound))
    assert max(ratios) > 1


def test_masked_keys_have_no_influence() -> None:
    q, k, v = _tensors("normal")
    mask = np.broadcast_to(np.arange(90) < 60, (70, 90))
    exact, bound = ref.attention(q, k, v, mask=mask), bounds.attention(q, k, v, mask=mask)
    k[:, 60:], v[:, 60:] = np.nan, np.inf
    np.testing.assert_array_equal(ref.attention(q, k, v, mask=mask), exact)
    np.testing.assert_array_equal(bounds.attention(q, k, v, mask=mask), bound)


def test_what_is_not_finite_in_attention() -> None:
    q, k, v = _tensors("normal")
    q[0, 3, 0] = np.nan
    v[1, 5, 2] = np.inf
    v[1, 6, 3] = np.nan
    exact, bound = ref.attention(q, k, v), bounds.attention(q, k, v)
    assert np.all(np.isnan(exact[0, 3]))
    assert np.all(exact[2:, :, 2] == np.inf)
    assert np.all(np.isnan(exact[2:, :, 3]))
    assert np.all(np.isfinite(exact[1]))
    assert not np.any(bound[~np.isfinite(exact)])
    k[1] *= 1e3
    # The weight of an infinite value may underflow: 0 * inf is NaN there.
    undetermined = np.isinf(bounds.attention(q, k, v)[2:, :, 2])
    assert np.any(undetermined)


def test_a_query_without_keys_gives_zero() -> None:
    q, k, v = _tensors("normal")
    mask = np.zeros((70, 90), dtype=np.bool_)
    assert not np.any(ref.attention(q, k, v, mask=mask))
    assert not np.any(bounds.attention(q, k, v, mask=mask))
    nothing = ref.attention(q, k[:, :0], v[:, :0])
    assert nothing.shape == (4, 70, 24)
    assert not np.any(nothing)
    assert not np.any(bounds.attention(q, k[:, :0], v[:, :0]))
    early = ref.attention(q, k[:, :50], v[:, :50], causal=True)
    assert not np.any(early[:, :20])
    assert np.all(np.any(early[:, 20:], axis=-1))


def test_paged_attention_is_attention_over_the_sequence() -> None:
    g = np.random.default_rng(23)
    pages = g.normal(0, 1, (2, 7, 16, 2, 40)).astype(np.float32)
    k_pages, v_pages = pages
    table = np.array([[6, 1, 3], [0, 5, -1]])
    lengths = np.array([41, 32])
    q = g.normal(0, 1, (2, 4, 40)).astype(np.float32)
    exact = ref.paged_attention(q, k_pages, v_pages, table, lengths, window=30)
    bound = bounds.paged_attention(
        q, k_pages, v_pages, table, lengths, window=30, tiles=4, device=AMD
    )
    k, v = (p[[6, 1, 3]].reshape(48, 2, 40)[:41].swapaxes(0, 1) for p in pages)
    dense = ref.attention(q[0][:, None], k[:, -30:], v[:, -30:])[:, 0]
    np.testing.assert_allclose(exact[0], dense, rtol=1e-12)
    assert _worst(_flash(q[0][:, None], k[:, -30:], v[:, -30:], 16)[:, 0], exact[0], bound[0]) <= 1
    pages[:, 4] = np.nan
    pages[:, 3, 9:] = np.nan
    np.testing.assert_array_equal(
        ref.paged_attention(q, k_pages, v_pages, table, lengths, window=30), exact
    )
    table[1, 2] = 99
    np.testing.assert_array_equal(
        ref.paged_attention(q, k_pages, v_pages, table, lengths, window=30), exact
    )
    with pytest.raises(ValueError, match=r"page \[99\] of 7"):
        ref.paged_attention(q, k_pages, v_pages, table, np.array([41, 33]))
    with pytest.raises(ValueError, match="49 exceeds"):
        ref.paged_attention(q, k_pages, v_pages, table, np.array([49, 1]))


def test_a_folded_base_needs_its_own_bound() -> None:
    q, k, v = _tensors("offset")
    factor = np.float32(np.log2(np.e) / np.sqrt(40))
    logits = q[:2] @ np.swapaxes(k, -1, -2) * factor
    p = np.exp2((logits - logits.max(axis=-1, keepdims=True)).astype(np.float64)).astype(np.float32)
    actual = p @ v / p.sum(axis=-1, keepdims=True)
    exact = ref.attention(q[:2], k, v)
    bound = bounds.attention(q[:2], k, v, folded_base=True)
    assert _worst(actual, exact, bound) <= 1
    assert np.all(bound > bounds.attention(q[:2], k, v))


def test_latent_attention_equals_attention_of_the_full_heads() -> None:
    """Absorbed weights: (q W_uk) c = q (W_uk c), so both forms give the same output."""
    g = np.random.default_rng(24)
    latent, rotary = g.normal(0, 1, (20, 16)), g.normal(0, 1, (20, 8))
    up_k, up_v = g.normal(0, 0.3, (3, 12, 16)), g.normal(0, 0.3, (3, 12, 16))
    q, q_rope = g.normal(0, 1, (3, 20, 12)), g.normal(0, 1, (3, 20, 8))
    absorbed = ref.mla_attention(q @ up_k, q_rope, latent, rotary, 0.2) @ up_v.swapaxes(-1, -2)
    keys = np.concatenate(
        [latent @ up_k.swapaxes(-1, -2), np.broadcast_to(rotary, (3, 20, 8))], axis=-1
    )
    full = ref.attention(
        np.concatenate([q, q_rope], axis=-1), keys, latent @ up_v.swapaxes(-1, -2), 0.2, causal=True
    )
    np.testing.assert_allclose(absorbed, full, rtol=1e-11, atol=1e-13)


def test_latent_projection_bound_holds() -> None:
    g = np.random.default_rng(25)
    x, down = (g.normal(0, 1, s).astype(np.float32) for s in ((5, 200), (200, 16)))
    latent = x @ down
    inverse = np.float32(1) / np.sqrt(
        np.mean(latent * latent, axis=-1, keepdims=True) + np.float32(1e-6)
    )
    exact, bound = ref.mla_project(x, down), bounds.mla_project(x, down)
    assert 0 < _worst(latent * inverse, exact, bound) <= 1
    assert _worst(round_to(latent * inverse, BF16), exact, bound) > 1


def test_relative_attention_bound_holds() -> None:
    g = np.random.default_rng(26)
    q, k, v = (g.normal(0, 1, (2, 30, 16)).astype(np.float32) for _ in range(3))
    e = g.normal(0, 1, (2, 59, 16)).astype(np.float32)
    u, w = g.normal(0, 1, (2, 2, 16)).astype(np.float32)
    exact = ref.relative_attention(q, k, v, e, u, w)
    bound = bounds.relative_attention(q, k, v, e, u, w, device=AMD)
    logits = np.empty((2, 30, 30), dtype=np.float32)
    for i in range(30):
        for j in range(30):
            content = np.sum((q[:, i] + u) * k[:, j], axis=-1)
            logits[:, i, j] = content + np.sum((q[:, i] + w) * e[:, 29 - i + j], axis=-1)
    logits *= np.float32(0.25)
    p = _exp(logits - logits.max(axis=-1, keepdims=True), g)
    actual = p @ v / p.sum(axis=-1, keepdims=True)
    assert 1e-3 < _worst(actual, exact, bound) <= 1
    reversed_rows = ref.relative_attention(q, k, v, e[:, ::-1], u, w)
    assert _worst(reversed_rows, exact, bound) > 1


_POSITIONS = np.array([0, 1, 511, 513, 4096, 131071, 2**20])


def _rope(x: Array, positions: Array, base: float = 10000.0) -> Array:
    half = x.shape[-1] // 2
    exponent = np.float32(-2) * np.arange(half, dtype=np.float32) / np.float32(2 * half)
    frequency = np.power(np.float32(base), exponent)
    angle = (positions.astype(np.float32)[:, None] * frequency)[:, None, :]
    cosine, sine = np.cos(angle.astype(np.float64)), np.sin(angle.astype(np.float64))
    c, s = cosine.astype(np.float32), sine.astype(np.float32)
    x0, x1 = x[..., :half], x[..., half:]
    return np.concatenate([x0 * c - x1 * s, x0 * s + x1 * c], axis=-1)


def _queries() -> Array:
    return np.random.default_rng(27).normal(0, 1, (7, 3, 64)).astype(np.float32)


def test_rope_bound_holds_and_grows_with_the_position() -> None:
    x = _queries()
    exact, bound = ref.rope(x, _POSITIONS), bounds.rope(x, _POSITIONS)
    assert 0.05 < _worst(_rope(x, _POSITIONS), exact, bound) <= 1
    slowest = bound[:, 0, 0]
    assert slowest[6] > 7 * slowest[5] > 50 * slowest[3]


@pytest.mark.parametrize(
    "fault",
    [
        lambda x: ref.rope(x, _POSITIONS % 512),
        lambda x: ref.rope(x, round_to(_POSITIONS, FP16).clip(0, 65504).astype(np.int64)),
        lambda x: ref.rope(x, _POSITIONS, pairing="interleaved"),
        lambda x: ref.rope(x, -_POSITIONS),
        lambda x: ref.rope(x, _POSITIONS, base=500000.0),
        np.asarray,
    ],
    ids=["mod 512", "fp16 position", "pairing", "sign", "base", "not rotated"],
)
def test_rope_bound_rejects(fault: Callable[[Array], Array]) -> None:
    x = _queries()
    assert _worst(fault(x), ref.rope(x, _POSITIONS), bounds.rope(x, _POSITIONS)) > 1


def test_rope_pairings_are_permutations_of_each_other() -> None:
    x = _queries()
    order = np.arange(64).reshape(32, 2).T.reshape(-1)
    np.testing.assert_array_equal(
        ref.rope(x, _POSITIONS, pairing="interleaved")[..., order],
        ref.rope(x[..., order], _POSITIONS),
    )


def test_rope_depends_on_the_distance_only() -> None:
    x = _queries()
    products = [
        np.sum(ref.rope(x[:1], np.array([p])) * ref.rope(x[1:2], np.array([p + 17])))
        for p in (0, 1000, 131071)
    ]
    np.testing.assert_allclose(products, products[0], rtol=1e-8)


def test_partial_rope_copies_the_rest() -> None:
    x = _queries()
    y = ref.rope(x, _POSITIONS, rotated=48)
    np.testing.assert_array_equal(y[..., 48:], x[..., 48:])
    bound = bounds.rope(x, _POSITIONS, rotated=48)
    assert not np.any(bound[..., 48:])
    assert np.all(bound[..., :48] > 0)
    with pytest.raises(ValueError, match="47 is not an even number"):
        ref.rope(x, _POSITIONS, rotated=47)


def test_kv_append_writes_its_slots_only() -> None:
    g = np.random.default_rng(28)
    k_cache, v_cache = g.normal(0, 1, (2, 12, 3, 64)).astype(np.float16)
    k, v = g.normal(0, 1, (2, 7, 3, 64)).astype(np.float32)
    slots = np.array([11, 2, 3, 0, 7, 8, 5])
    keys, values = ref.kv_append(k_cache, v_cache, k, v, slots, _POSITIONS)
    limits = bounds.kv_append(k_cache, v_cache, k, v, slots, _POSITIONS, out=FP16)
    untouched = np.setdiff1d(np.arange(12), slots)
    np.testing.assert_array_equal(keys[untouched], k_cache[untouched])
    np.testing.assert_array_equal(values[untouched], v_cache[untouched])
    assert not np.any(limits[0][untouched])
    written = k_cache.astype(np.float64)
    written[slots] = round_to(_rope(k, _POSITIONS), FP16)
    assert 0.3 < _worst(written, keys, limits[0], FP16) <= 1
    written = v_cache.astype(np.float64)
    written[slots] = round_to(v, FP16)
    assert 0.9 < _worst(written, values, limits[1], FP16) <= 1
    written[untouched[0], 0, 0] += 2.0**-14
    assert _worst(written, values, limits[1], FP16) > 1
    with pytest.raises(ValueError, match="two tokens go to one slot"):
        ref.kv_append(k_cache, v_cache, k, v, np.zeros(7, np.int64), _POSITIONS)


def test_head_shapes_that_do_not_fit_are_refused() -> None:
    q, k, v = _tensors("normal")
    with pytest.raises(ValueError, match="q has 3 heads, no multiple of k's 2"):
        ref.attention(q[:3], k, v)
    with pytest.raises(ValueError, match="do not fit"):
        ref.attention(q, k[..., :39], v)


def test_attention_of_a_flushing_device_still_has_a_bound() -> None:
    q, k, v = _tensors("normal")
    bound = bounds.attention(q, k, v, tiles=6, device=AMD_FAST)
    assert np.all(np.isfinite(bound))
    assert np.all(bound >= bounds.attention(q, k, v, tiles=6, device=AMD))
