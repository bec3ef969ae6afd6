"""Scaled dot-product attention in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import (
    Booleans,
    Float64,
    as_booleans,
    as_float64,
    quiet,
    require,
    require_rank,
)
from hipaudit_reference.references.softmaxes import causal_mask


@dataclass(frozen=True, slots=True)
class Heads:
    """Queries, keys and values with the key heads repeated, and which keys a query sees.

    q (..., h, tq, d), k (..., h, tk, d), v (..., h, tk, dv), keep broadcasts to (..., h, tq, tk).
    """

    q: Float64
    k: Float64
    v: Float64
    keep: Booleans


@quiet
def attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    scale: float | None = None,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    mask: ArrayLike | None = None,
) -> Float64:
    """Scaled dot-product attention: softmax(scale q k^T) v, per query.

    q (..., hq, tq, d), k (..., hk, tk, d), v (..., hk, tk, dv); hq is a multiple of hk (grouped
    and multi-query heads: query head h reads key head h // (hq / hk)). scale None is 1 / sqrt d.
    causal: see `causal_mask`, and `window` with it. softcap c: logits become c tanh(s / c).
    mask broadcasts to (..., hq, tq, tk), True keeps. Returns (..., hq, tq, dv).
    Policy: a query that sees no key gives 0. A masked key has no influence, whatever bits its
    key and value hold. A NaN or +Inf logit makes the query's output NaN.
    Own error: that of `bounds.attention` with u = 2^-53.
    Source: Vaswani et al. 2017; Dao et al., "FlashAttention", 2022.
    """
    heads = arrange(q, k, v, causal, window, mask)
    return attend(masked(dense_logits(heads, scale, softcap), heads), heads)


def dense_logits(heads: Heads, scale: float | None, softcap: float | None) -> Float64:
    """All logits scale q k^T, soft-capped; masked keys are not yet taken out."""
    logits = heads.q @ np.swapaxes(heads.k, -1, -2) * head_scale(heads, scale)
    return logits if softcap is None else np.asarray(softcap * np.tanh(logits / softcap))


def head_scale(heads: Heads, scale: float | None) -> float:
    """The factor of the logits: 1 / sqrt d unless given."""
    return 1 / math.sqrt(max(heads.q.shape[-1], 1)) if scale is None else scale


def finite(values: Float64) -> Float64:
    """Values with what is not finite replaced by 0, so that a masked key cannot spread."""
    return np.where(np.isfinite(values), values, 0.0)


def masked(logits: Float64, heads: Heads) -> Float64:
    """Logits with -inf where a query does not see the key, whatever stood there."""
    return np.where(heads.keep, logits, -np.inf)


def probabilities(logits: Float64) -> Float64:
    """Softmax of logits that are -inf where masked; 0 in a row of -inf alone."""
    peak = np.max(logits, axis=-1, keepdims=True, initial=-np.inf)
    weights = np.exp(logits - np.where(peak == -np.inf, 0.0, peak))
    total = np.sum(weights, axis=-1, keepdims=True)
    return np.where(total == 0, 0.0, weights / total)


def attend(logits: Float64, heads: Heads) -> Float64:
    """Values averaged with the logits' softmax; unseen values have no influence."""
    p = probabilities(logits)
    result: Float64 = p @ finite(heads.v)
    if np.all(np.isfinite(heads.v)):
        return result
    seen = np.broadcast_to(heads.keep, logits.shape).astype(np.float64)
    positive = seen @ (heads.v == np.inf) > 0
    negative = seen @ (heads.v == -np.inf) > 0
    nan = (seen @ np.isnan(heads.v) > 0) | (positive & negative)
    result = np.where(positive, np.inf, np.where(negative, -np.inf, result))
    return np.where(nan | np.isnan(p).any(axis=-1, keepdims=True), np.nan, result)


def arrange(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    causal: bool,
    window: int | None,
    mask: ArrayLike | None,
) -> Heads:
    """Check the shapes, repeat key heads for their groups, and join the masks."""
    queries, keys, values = as_float64(q, "q"), as_float64(k, "k"), as_float64(v, "v")
    for name, array in (("q", queries), ("k", keys), ("v", values)):
        require_rank(array, 3, name)
    require(
        queries.shape[-1] == keys.shape[-1] and keys.shape[-3:-1] == values.shape[-3:-1],
        f"q {queries.shape}, k {keys.shape}, v {values.shape}: heads, tokens or d do not fit",
    )
    require(
        queries.shape[-3] % max(keys.shape[-3], 1) == 0,
        f"q has {queries.shape[-3]} heads, no multiple of k's {keys.shape[-3]}",
    )
    groups = queries.shape[-3] // max(keys.shape[-3], 1)
    keys, values = np.repeat(keys, groups, axis=-3), np.repeat(values, groups, axis=-3)
    tq, tk = queries.shape[-2], keys.shape[-2]
    keep = np.ones((tq, tk), dtype=np.bool_)
    if causal or window is not None:
        keep = causal_mask(tq, tk, window)
    if mask is not None:
        keep = keep & as_booleans(mask, "mask")
    return Heads(queries, keys, values, keep)
