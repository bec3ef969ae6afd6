"""Bounds of attention over pages, over a latent cache, and with relative positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import accumulated, factor_roundings, settled, stored
from hipaudit_reference.bounds.attentions import attended_error, attention
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.bounds.matrices import gemm
from hipaudit_reference.bounds.norms import rms_error
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import attention_forms as reference
from hipaudit_reference.references import attentions, matrices
from hipaudit_reference.summation import Height


@derived
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
    tiles: int = 1,
    folded_base: bool = False,
    height: Height = None,
    products: Height = None,
    probabilities: Format | None = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of paged decode attention, (s, hq, dv): that of `attention` for each sequence."""
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
            tiles=tiles,
            folded_base=folded_base,
            height=height,
            products=products,
            probabilities=probabilities,
            working=working,
            out=out,
            device=device,
        )[:, 0, :]
        for i, (keys, values) in enumerate(
            reference.gathered(k_pages, v_pages, block_table, lengths)
        )
    ]
    width = as_float64(v_pages, "v_pages").shape[-1]
    return np.stack(rows) if rows else np.zeros((0, queries.shape[1], width))


@derived
def mla_project(
    x: ArrayLike,
    down: ArrayLike,
    weight: ArrayLike | None = None,
    eps: float = 1e-6,
    *,
    height: Height = None,
    between: Format = FP32,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of RMSNorm(x W_down): the norm's, for rows that are off by the product's error.

    `between` is the format in which the product reaches the norm; `height` holds for both sums.
    """
    latent = matrices.gemm(x, down)
    moved = gemm(x, down, height=height, working=working, out=between, device=device)
    y = reference.mla_project(x, down, weight, eps)
    error, overflow = rms_error(latent, weight, eps, moved, height, working, device)
    return settled(stored(error, y, out, working, device), y, overflow | ~np.isfinite(moved))


@derived
def mla_attention(
    q_latent: ArrayLike,
    q_rope: ArrayLike,
    latent: ArrayLike,
    k_rope: ArrayLike,
    scale: float,
    causal: bool = True,
    *,
    tiles: int = 1,
    folded_base: bool = False,
    height: Height = None,
    products: Height = None,
    probabilities: Format | None = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of latent attention: `attention` with keys of r + dr elements and one key head."""
    q, k, v = reference.mla_operands(q_latent, q_rope, latent, k_rope)
    return attention(
        q,
        k,
        v,
        scale,
        causal,
        tiles=tiles,
        folded_base=folded_base,
        height=height,
        products=products,
        probabilities=probabilities,
        working=working,
        out=out,
        device=device,
    )


@derived
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
    tiles: int = 1,
    height: Height = None,
    probabilities: Format | None = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of attention with relative positions, (..., h, t, dv).

    A logit is off by |scale| (gamma_{d+3} ((|q| + |u|)|k| + (|q| + |w|)|e|) + u |s|): the biases'
    addition, the products, and the sum of both terms. Then as `attention`.
    """
    heads, raw = reference.relative_logits(
        q, k, v, encoding, content_bias, position_bias, scale, mask
    )
    factor = attentions.head_scale(heads, scale)
    sizes = [np.abs(as_float64(a)) for a in (q, k, v, encoding, content_bias, position_bias)]
    _, size = reference.relative_logits(
        sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], scale=1.0, mask=mask
    )
    u, terms = device.unit(working), heads.q.shape[-1]
    error = accumulated(None, terms, working, device, extra=3) * size
    largest = max(float(np.max(m, initial=0.0)) for m in sizes)
    flush = device.input_flush(working) * 8 * terms * largest
    error = abs(factor) * (error + 4 * terms * device.underflow(working) + flush)
    error = error + factor_roundings(factor, working) * u * (np.abs(raw) + error)
    logits = attentions.masked(raw, heads)
    y = attentions.attend(logits, heads)
    total = attended_error(logits, error, heads, tiles, height, probabilities, working, device)
    overflow = np.any((size * max(1.0, abs(factor)) >= working.max_finite) & heads.keep, -1)
    return settled(stored(total, y, out, working, device), y, overflow[..., None])
