"""Bounds of attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Booleans, Float64
from hipaudit_reference.bounds.assembly import accumulated, factor_roundings, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import attentions as reference
from hipaudit_reference.references.attentions import Heads
from hipaudit_reference.summation import Height


@derived
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
    tiles: int = 1,
    folded_base: bool = False,
    height: Height = None,
    products: Height = None,
    probabilities: Format | None = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of attention, per element of (..., hq, tq, dv), d = max s - s, p = softmax(s).

    A logit is off by ds = |scale| gamma_{d+1} |q||k| + 2 u |s|, with the height of `products` for
    d when it is given: how a logit's d products are added (the soft cap, whose slope is at
    most 1, adds 2 u |s| + (eps_tanh + u) |s'|); a weight by rho = ds + u d + eps_exp. Then
    sum p |v| (rho + u_P + gamma_n + u) + (sum p rho + gamma_h + u) sum p |v| + u_out |o|.
    `tiles`: how many times an online softmax may rescale its sums, each for 2 (u + eps_exp)
    (merging split-K partial results counts as one more); `folded_base`: logits are kept times
    log2 e, for exp2, which rounds them 3 u |s| further; `height`: how weights and weighted
    values are added over the keys; `probabilities`: the format P is rounded to before P V.
    No error exceeds |o| + max |v| by more than roundings: the result is an average of values.
    Not determined where a logit's |q||k| may overflow, or where an infinite value meets a weight
    that may underflow.
    """
    heads = reference.arrange(q, k, v, causal, window, mask)
    factor = reference.head_scale(heads, scale)
    logits = reference.masked(reference.dense_logits(heads, factor, softcap), heads)
    u, terms = device.unit(working), heads.q.shape[-1]
    size = _finite_sizes(heads.q) @ np.swapaxes(_finite_sizes(heads.k), -1, -2)
    error = accumulated(products, terms, working, device, extra=1) * size
    error = abs(factor) * (error + 2 * terms * device.underflow(working))
    error = error + abs(factor) * flushed(heads, working, device)
    raw = reference.dense_logits(heads, factor, None)
    error = error + factor_roundings(factor, working) * u * (np.abs(raw) + error)
    if softcap is not None:
        bent = (device.tanh + device.divide + 1) * u * np.abs(logits)
        error = error + (max(device.divide, 1.0) + 1) * u * (np.abs(raw) + error) + bent
    if folded_base:
        error = error + 3 * u * (np.abs(reference.dense_logits(heads, factor, softcap)) + error)
    overflow = np.any((size * max(1.0, abs(factor)) >= working.max_finite) & heads.keep, -1)
    y = reference.attend(logits, heads)
    total = attended_error(logits, error, heads, tiles, height, probabilities, working, device)
    undetermined = overflow[..., None] | _lost_infinities(logits, heads, working)
    return settled(stored(total, y, out, working, device), y, undetermined)


def attended_error(
    logits: Float64,
    logit_error: Float64,
    heads: Heads,
    tiles: int,
    height: Height,
    rounded_to: Format | None,
    working: Format,
    device: DeviceErrors,
) -> Float64:
    """Error of softmax and values, in the working format, given that of the logits."""
    u, tiny = device.unit(working), device.underflow(working)
    eps = max(device.exp, device.exp2) * u
    count = logits.shape[-1]
    peak = np.max(logits, axis=-1, keepdims=True, initial=-np.inf)
    depth = np.where(logits == -np.inf, np.inf, peak - logits)
    weights = np.exp(-depth)
    total = np.sum(weights, axis=-1, keepdims=True)
    slope = (1 + device.exp_slope) * u
    shift = np.where(depth == np.inf, 0.0, logit_error + slope * depth)
    # The common part of the logits' errors cancels; the largest may differ by its own.
    change = np.exp(shift - depth) * (1 + eps) - weights
    summed = accumulated(height, count, working, device)
    online = (tiles - 1) * (u + eps)
    unit_p = rounded_to.unit_roundoff if rounded_to is not None else 0.0
    tiny_p = rounded_to.min_subnormal if rounded_to is not None else 0.0
    least = 2 * max(device.exp, 1.0) * tiny + tiny_p
    values = _finite_sizes(heads.v)
    p = np.where(total == 0, 0.0, weights / total)
    average = p @ values
    moved = np.where(total == 0, 0.0, (change + (weights > 0) * least) / total) @ values
    sigma = np.sum(change, axis=-1, keepdims=True) / total + summed + online + count * least
    sigma = sigma + device.quotient() * u + u
    pv = unit_p + summed + online + 2 * u
    error = np.where(sigma < 1, (moved * (1 + pv) + average * (pv + sigma)) / (1 - sigma), np.inf)
    seen = np.broadcast_to(heads.keep, logits.shape)
    largest = largest_seen(values, seen)
    error = np.minimum(error, (average + largest) * (1 + 4 * (pv + summed)))
    error = error + 2 * count * tiny + device.input_flush(working)
    # Before the division the sums are larger, by the sum of the weights.
    error = np.where(average * total >= working.max_finite, np.inf, error)
    return np.where(np.any(seen, axis=-1, keepdims=True), error, 0.0)


def largest_seen(values: Float64, seen: Booleans) -> Float64:
    """The largest |v| among the keys a query sees: (..., tq, dv)."""
    if bool(np.all(seen)):
        return np.asarray(np.max(values, axis=-2, keepdims=True, initial=0.0))
    # One query at a time: (tq, tk, dv) at once would not fit the memory of a long context.
    largest = [
        np.max(np.where(seen[..., i, :, None], values, 0.0), axis=-2, initial=0.0)
        for i in range(seen.shape[-2])
    ]
    return np.stack(largest, axis=-2)


def flushed(heads: Heads, working: Format, device: DeviceErrors) -> Float64 | float:
    """What reading flushed elements of q and k may take from a product."""
    flush = device.input_flush(working)
    if flush == 0:
        return 0.0
    queries = np.sum(_finite_sizes(heads.q), axis=-1)[..., :, None]
    keys = np.sum(_finite_sizes(heads.k), axis=-1)[..., None, :]
    return np.asarray(flush * (queries + keys))


def _finite_sizes(values: Float64) -> Float64:
    return np.where(np.isfinite(values), np.abs(values), 0.0)


def _lost_infinities(logits: Float64, heads: Heads, working: Format) -> Booleans:
    """Where an infinite value is seen with a weight that may be 0 in the working format."""
    infinite = np.isinf(heads.v)
    if not np.any(infinite):
        return np.zeros((1,), dtype=np.bool_)
    p = reference.probabilities(logits)
    faint = np.broadcast_to(heads.keep, p.shape) & ~(p > 2 * working.min_normal)
    return np.asarray(faint.astype(np.float64) @ infinite.astype(np.float64) > 0)
