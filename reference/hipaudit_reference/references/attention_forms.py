"""Attention as engines run it: over pages, over a latent cache, with relative positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, as_integers, quiet, require
from hipaudit_reference.references.attentions import (
    Heads,
    arrange,
    attend,
    attention,
    head_scale,
    masked,
)
from hipaudit_reference.references.matrices import gemm
from hipaudit_reference.references.norms import rms_norm


@quiet
def paged_attention(
    q: ArrayLike,
    k_pages: ArrayLike,
    v_pages: ArrayLike,
    block_table: ArrayLike,
    lengths: ArrayLike,
    scale: float | None = None,
    window: int | None = None,
    softcap: float | None = None,
) -> Float64:
    """Decode attention over a paged cache: one query a sequence, at its last position.

    q (s, hq, d); k_pages (pages, page size, hk, d), v_pages likewise with dv; block_table
    (s, n) integers: the pages of a sequence in order; lengths (s,): its tokens, of which the
    query sees the last `window`. Entries past a sequence's last page are not read. Returns
    (s, hq, dv); a sequence of length 0 gives 0. Otherwise, own error included, as `attention`.
    Source: Kwon et al., "Efficient memory management for large language model serving with
    PagedAttention", 2023.
    """
    queries = as_float64(q, "q")
    rows = [
        attention(
            queries[i][:, None, :],
            keys,
            values,
            scale,
            causal=True,
            window=window,
            softcap=softcap,
        )[:, 0, :]
        for i, (keys, values) in enumerate(gathered(k_pages, v_pages, block_table, lengths))
    ]
    width = as_float64(v_pages, "v_pages").shape[-1]
    return np.stack(rows) if rows else np.zeros((0, queries.shape[1], width))


def gathered(
    k_pages: ArrayLike, v_pages: ArrayLike, block_table: ArrayLike, lengths: ArrayLike
) -> list[tuple[Float64, Float64]]:
    """Each sequence's keys and values (hk, length, d) out of the pages."""
    keys, values = as_float64(k_pages, "k_pages"), as_float64(v_pages, "v_pages")
    table, tokens = as_integers(block_table, "block_table"), as_integers(lengths, "lengths")
    size = keys.shape[1]
    sequences = []
    for pages, length in zip(table, tokens.tolist(), strict=True):
        used = pages[: -(-length // size)]
        outside = used[(used < 0) | (used >= keys.shape[0])]
        require(outside.size == 0, f"block_table: page {outside[:1]} of {keys.shape[0]}")
        require(len(used) * size >= length, f"lengths: {length} exceeds the sequence's pages")
        sequences.append(
            tuple(
                np.swapaxes(cache[used].reshape(-1, *cache.shape[2:])[:length], 0, 1)
                for cache in (keys, values)
            )
        )
    return [(k, v) for k, v in sequences]


def mla_project(
    x: ArrayLike, down: ArrayLike, weight: ArrayLike | None = None, eps: float = 1e-6
) -> Float64:
    """Latent projection of MLA: RMSNorm(x W_down) * weight, what the compressed cache holds.

    x (..., tokens, d), down (d, r), weight (r,) or None; returns (..., tokens, r).
    Own error: that of `gemm`, carried through `rms_norm`.
    Source: DeepSeek-AI, "DeepSeek-V2", 2024, section 2.1.
    """
    return rms_norm(gemm(x, down), weight, eps)


def mla_operands(
    q_latent: ArrayLike, q_rope: ArrayLike, latent: ArrayLike, k_rope: ArrayLike
) -> tuple[Float64, Float64, Float64]:
    """Latent attention's operands as those of `attention` with one key head."""
    c, rotary = as_float64(latent, "latent"), as_float64(k_rope, "k_rope")
    query = np.concatenate(
        [as_float64(q_latent, "q_latent"), as_float64(q_rope, "q_rope")], axis=-1
    )
    key = np.concatenate([c, rotary], axis=-1)[..., None, :, :]
    return query, key, c[..., None, :, :]


def mla_attention(
    q_latent: ArrayLike,
    q_rope: ArrayLike,
    latent: ArrayLike,
    k_rope: ArrayLike,
    scale: float,
    causal: bool = True,
) -> Float64:
    """Multi-head latent attention over the compressed cache (weights absorbed).

    softmax(scale (q_latent c^T + q_rope k_rope^T)) c, per head. q_latent (..., h, tq, r), q_rope
    (..., h, tq, dr), latent c (..., tk, r) and k_rope (..., tk, dr) shared by all heads. Returns
    (..., h, tq, r), which the value up-projection takes to the heads' outputs. Own error: as
    `attention` with a key of r + dr elements.
    Source: DeepSeek-AI, "DeepSeek-V2", 2024, section 2.1.
    """
    q, k, v = mla_operands(q_latent, q_rope, latent, k_rope)
    return attention(q, k, v, scale, causal)


@quiet
def relative_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    encoding: ArrayLike,
    content_bias: ArrayLike,
    position_bias: ArrayLike,
    scale: float | None = None,
    mask: ArrayLike | None = None,
) -> Float64:
    """Attention with relative positions, as a conformer's encoder has it.

    s_ij = scale ((q_i + u) . k_j + (q_i + w) . e_{i-j}), then softmax and values. q (..., h, t, d),
    k, v likewise; encoding e (..., h, 2 t - 1, d), row r for the distance i - j = t - 1 - r (the
    farthest past first); biases u, w (h, d). Returns (..., h, t, dv). Own error: as `attention`,
    its logits being sums of two products.
    Source: Dai et al., "Transformer-XL", 2019; Gulati et al., "Conformer", 2020.
    """
    heads, logits = relative_logits(q, k, v, encoding, content_bias, position_bias, scale, mask)
    return attend(masked(logits, heads), heads)


def relative_logits(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    encoding: ArrayLike,
    content_bias: ArrayLike,
    position_bias: ArrayLike,
    scale: float | None,
    mask: ArrayLike | None,
) -> tuple[Heads, Float64]:
    """The heads, and their logits with the relative term."""
    heads = arrange(q, k, v, causal=False, window=None, mask=mask)
    rows = as_float64(encoding, "encoding")
    tokens = heads.k.shape[-2]
    require(
        rows.shape[-2] == 2 * tokens - 1,
        f"encoding: {rows.shape[-2]} rows, not the 2 t - 1 of t = {tokens}",
    )
    u = as_float64(content_bias, "content_bias")[:, None, :]
    w = as_float64(position_bias, "position_bias")[:, None, :]
    content = (heads.q + u) @ np.swapaxes(heads.k, -1, -2)
    by_row = (heads.q + w) @ np.swapaxes(rows, -1, -2)
    logits = content + at_distance(by_row, tokens)
    return heads, logits * head_scale(heads, scale)


def at_distance(by_row: Float64, tokens: int) -> Float64:
    """Element (i, j) is the entry of row i for the distance i - j: column t - 1 - i + j."""
    i, j = np.arange(tokens)[:, None], np.arange(tokens)[None, :]
    return np.asarray(by_row[..., i, tokens - 1 - i + j])
