"""Exact attention, one element at a time."""

from __future__ import annotations

import mpmath
import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.exact.norms import normalised
from hipaudit_reference.exact.precision import (
    Index,
    Real,
    dot,
    real,
    reals,
    total,
    working_precision,
)
from hipaudit_reference.references import attention_forms, attentions
from hipaudit_reference.references.attentions import Heads


def attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    scale: float | None = None,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    mask: ArrayLike | None = None,
    *,
    at: Index,
) -> Real:
    """Element `at` of `attention`."""
    heads = attentions.arrange(q, k, v, causal, window, mask)
    with working_precision():
        # 1 / sqrt d is the rounded number that the float64 reference uses, and no other.
        factor = real(attentions.head_scale(heads, scale))
        query = reals(heads.q[at[:-1]])
        logits = [factor * dot(query, key) for key in _rows(heads.k[at[:-2]])]
        if softcap is not None:
            cap = real(softcap)
            logits = [cap * mpmath.tanh(s / cap) for s in logits]
        return _averaged(logits, heads, at)


def relative_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    encoding: ArrayLike,
    content_bias: ArrayLike,
    position_bias: ArrayLike,
    scale: float | None = None,
    mask: ArrayLike | None = None,
    *,
    at: Index,
) -> Real:
    """Element `at` of `relative_attention`."""
    heads = attentions.arrange(q, k, v, causal=False, window=None, mask=mask)
    rows = as_float64(encoding, "encoding")
    rows = np.broadcast_to(rows, (*heads.k.shape[:-2], *rows.shape[-2:]))[at[:-2]]
    head, i, tokens = at[-3], at[-2], heads.k.shape[-2]
    with working_precision():
        factor = real(attentions.head_scale(heads, scale))
        query = reals(heads.q[at[:-1]])
        content = _plus(query, reals(as_float64(content_bias)[head]))
        place = _plus(query, reals(as_float64(position_bias)[head]))
        logits = [
            factor * (dot(content, key) + dot(place, reals(rows[tokens - 1 - i + j])))
            for j, key in enumerate(_rows(heads.k[at[:-2]]))
        ]
        return _averaged(logits, heads, at)


def paged_attention(
    q: ArrayLike,
    k_pages: ArrayLike,
    v_pages: ArrayLike,
    block_table: ArrayLike,
    lengths: ArrayLike,
    scale: float | None = None,
    window: int | None = None,
    softcap: float | None = None,
    *,
    at: Index,
) -> Real:
    """Element `at` of `paged_attention`."""
    sequence, head, element = at
    keys, values = attention_forms.gathered(k_pages, v_pages, block_table, lengths)[sequence]
    query = as_float64(q, "q")[sequence][:, None, :]
    return attention(
        query,
        keys,
        values,
        scale,
        causal=True,
        window=window,
        softcap=softcap,
        at=(head, 0, element),
    )


def mla_attention(
    q_latent: ArrayLike,
    q_rope: ArrayLike,
    latent: ArrayLike,
    k_rope: ArrayLike,
    scale: float,
    causal: bool = True,
    *,
    at: Index,
) -> Real:
    """Element `at` of `mla_attention`."""
    q, k, v = attention_forms.mla_operands(q_latent, q_rope, latent, k_rope)
    return attention(q, k, v, scale, causal, at=at)


def mla_project(
    x: ArrayLike,
    down: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-6,
    *,
    at: Index,
) -> Real:
    """Element `at` of `mla_project`."""
    matrix = as_float64(down, "down")
    with working_precision():
        row = reals(as_float64(x)[at[:-1]])
        latent = [dot(row, reals(column)) for column in matrix.T]
        return normalised(latent, weight, eps, at[-1])


def _averaged(logits: list[Real], heads: Heads, at: Index) -> Real:
    """The values of the keys that are seen, averaged with the softmax of their logits."""
    shape = (*heads.q.shape[:-1], heads.k.shape[-2])
    seen = np.flatnonzero(np.broadcast_to(heads.keep, shape)[at[:-1]]).tolist()
    kept = [logits[j] for j in seen]
    if not kept:
        return mpmath.mpf(0)
    if any(mpmath.isnan(s) or s == mpmath.inf for s in kept):
        return mpmath.nan
    peak = max(kept)
    if peak == -mpmath.inf:
        return mpmath.mpf(0)
    weights = [mpmath.exp(s - peak) for s in kept]
    column = reals(heads.v[at[:-2]][seen, at[-1]])
    return dot(weights, column) / total(weights)


def _rows(matrix: Float64) -> list[list[Real]]:
    return [reals(row) for row in matrix]


def _plus(left: list[Real], right: list[Real]) -> list[Real]:
    return [a + b for a, b in zip(left, right, strict=True)]
