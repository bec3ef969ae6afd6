"""Choices that a kernel makes by comparing rounded numbers, and which of them are right.

A token or an expert is chosen by comparison; where two candidates are closer than the device's
error, either choice is right, and no tolerance on the output can say so. Each function here
returns, per row, by how much the kernel's choice exceeds what the errors allow: 0 is accepted,
anything above 0 is not, infinity is a choice that is none (an index out of range or twice).
Rows with NaN are judged 0 but by `argmax`: their policy is the caller's.

`error` is the largest error of each number as the kernel computed it (`bounds.softmax` for
probabilities), broadcast; with an error of exactly 0 ties must be broken by the lower index.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import (
    Booleans,
    Float64,
    Integers,
    as_booleans,
    as_float64,
    as_integers,
    quiet,
    require,
)
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references.experts import descending
from hipaudit_reference.summation import Height, model


@quiet
def top_k(
    scores: ArrayLike, chosen: ArrayLike, error: ArrayLike = 0.0, *, in_order: bool = True
) -> Float64:
    """Any k indices with min over chosen (s + e) >= max over others (s - e): (rows,).

    scores (rows, v), chosen (rows, k) indices; `in_order` asks for falling scores as well.
    """
    s, e, indices = _scores(scores, error, chosen)
    k = indices.shape[-1]
    malformed = _malformed(indices, s.shape[-1])
    safe = np.clip(indices, 0, max(s.shape[-1] - 1, 0))
    kept = np.zeros(s.shape, dtype=np.bool_)
    np.put_along_axis(kept, safe, values=True, axis=-1)
    excess = _set_excess(s, e, kept)
    if in_order and k > 1:
        ranked, slack = np.take_along_axis(s, safe, -1), np.take_along_axis(e, safe, -1)
        low, high = (ranked - slack)[:, 1:], (ranked + slack)[:, :-1]
        rise = np.where(low == high, 0.0, low - high)  # of equal infinities too
        excess = np.maximum(excess, np.max(rise, axis=-1))
    exact = np.all(e == 0, axis=-1)
    if in_order:
        wrong = np.any(indices != descending(s)[:, :k], axis=-1)
    else:
        wrong = np.any(np.sort(indices) != np.sort(descending(s)[:, :k]), axis=-1)
    # Exact scores leave no freedom; the excess of a wrongly broken tie is 0, so it is named.
    excess = np.where(exact & wrong, np.maximum(excess, np.finfo(np.float64).tiny), excess)
    excess = np.where(np.isnan(s).any(axis=-1), 0.0, np.maximum(excess, 0.0))
    return np.where(malformed, np.inf, excess)


def argmax(scores: ArrayLike, index: ArrayLike, error: ArrayLike = 0.0) -> Float64:
    """Any index whose s + e reaches every other's s - e: `top_k` with k = 1. index (rows,).

    Unlike there, NaN has a policy here, that of `references.sums.argmax`: it is larger than
    everything, so that an index of a NaN is right, and of exact scores the first one's alone.
    """
    chosen = as_integers(index, "index")[..., None]
    excess = top_k(scores, chosen, error)
    s, e, _ = _scores(scores, error, chosen)
    nan = np.isnan(s)
    if not nan.any():
        return excess
    exact = np.all(e == 0, axis=-1, keepdims=True)
    right = nan & (~exact | (np.cumsum(nan, axis=-1) == 1))
    taken = np.take_along_axis(right, np.clip(chosen, 0, s.shape[-1] - 1), axis=-1)[:, 0]
    return np.where(nan.any(axis=-1), np.maximum(excess, np.where(taken, 0.0, np.inf)), excess)


@quiet
def top_p(probabilities: ArrayLike, kept: ArrayLike, p: float, error: ArrayLike) -> Float64:
    """A nucleus: most probable tokens, enough of them, and none too many: (rows,).

    kept (rows, v) booleans. Their mass reaches p up to the slack sum e, and without the least of
    them it stays below p up to the slack. An empty set is infinite.
    """
    s, e, flags = _flags(probabilities, error, kept)
    slack = np.sum(e, axis=-1)
    mass = np.sum(np.where(flags, s, 0.0), axis=-1)
    least = np.min(np.where(flags, s, np.inf), axis=-1, initial=np.inf)
    missing = np.where(np.all(flags, axis=-1), 0.0, p - mass - slack)
    # With a single token there is nothing that could have been left out.
    surplus = np.where(np.sum(flags, axis=-1) <= 1, 0.0, mass - least - p - slack)
    excess = np.maximum(np.maximum(missing, surplus), _set_excess(s, e, flags))
    excess = np.where(np.isnan(s).any(axis=-1), 0.0, np.maximum(excess, 0.0))
    return np.where(np.any(flags, axis=-1), excess, np.inf)


@quiet
def min_p(probabilities: ArrayLike, kept: ArrayLike, share: float, error: ArrayLike) -> Float64:
    """Tokens at least `share` times the largest, those at the border either way: (rows,)."""
    s, e, flags = _flags(probabilities, error, kept)
    largest = np.max(s, axis=-1, keepdims=True)
    slack = share * np.max(e, axis=-1, keepdims=True)
    border = share * largest
    too_small = np.where(flags, border - slack - (s + e), -np.inf)
    left_out = np.where(flags, -np.inf, (s - e) - border - slack)
    excess = np.max(np.maximum(too_small, left_out), axis=-1)
    # On the border itself a token is kept: with no error at all, leaving it out is wrong.
    at_border = np.any(~flags & (s == border) & (e + slack == 0), axis=-1)
    excess = np.where(at_border, np.maximum(excess, np.finfo(np.float64).tiny), excess)
    return np.where(np.isnan(s).any(axis=-1), 0.0, np.maximum(excess, 0.0))


@quiet
def multinomial(
    probabilities: ArrayLike,
    draw: ArrayLike,
    index: ArrayLike,
    error: ArrayLike = 0.0,
    *,
    height: Height = None,
    working: Format = FP32,
) -> Float64:
    """An inverse-CDF draw: draw * total lies in the token's interval of running sums: (rows,).

    draw and index (rows,). The interval is widened by what the running sums may be off:
    sum e + 2 coefficient total + u total. A token of probability 0, as the kernel may have it,
    is never right; -1 is right for a row without mass only.
    """
    s, e, indices = _scores(probabilities, error, as_integers(index, "index")[..., None])
    token = indices[:, 0]
    sums = np.cumsum(s, axis=-1)
    total = sums[:, -1]
    u = working.unit_roundoff
    coefficient = model(height).coefficient(s.shape[-1], u)
    slack = np.sum(e, axis=-1) + (2 * coefficient + u) * total
    safe = np.clip(token, 0, s.shape[-1] - 1)[:, None]
    above = np.take_along_axis(sums, safe, -1)[:, 0]
    own = np.take_along_axis(s, safe, -1)[:, 0]
    spread = np.take_along_axis(e, safe, -1)[:, 0]
    point = as_float64(draw, "draw") * total
    excess = np.maximum(np.maximum(above - own - point, point - above) - slack, 0.0)
    # With exact sums the interval is half open: a draw on its end belongs to the next token.
    ends = (slack == 0) & (point == above)
    excess = np.where(ends, np.maximum(excess, np.finfo(np.float64).tiny), excess)
    impossible = (token < 0) | (token >= s.shape[-1]) | (own + spread <= 0)
    excess = np.where(impossible, np.inf, excess)
    excess = np.where(total > 0, excess, np.where(token == -1, 0.0, np.inf))
    return np.where(np.isnan(total), 0.0, excess)


def _set_excess(s: Float64, e: Float64, kept: Booleans) -> Float64:
    """How far the worst of a set falls below the best outside it, after both errors."""
    worst = np.min(np.where(kept, s + e, np.inf), axis=-1, initial=np.inf)
    best = np.max(np.where(kept, -np.inf, s - e), axis=-1, initial=-np.inf)
    return np.where((worst == np.inf) | (best == -np.inf), 0.0, best - worst)


def _malformed(indices: Integers, count: int) -> Booleans:
    """Rows with an index out of range, or twice."""
    outside = np.any((indices < 0) | (indices >= count), axis=-1)
    ordered = np.sort(indices, axis=-1)
    return np.asarray(outside | np.any(ordered[:, 1:] == ordered[:, :-1], axis=-1))


def _scores(
    scores: ArrayLike, error: ArrayLike, chosen: ArrayLike
) -> tuple[Float64, Float64, Integers]:
    s, indices = as_float64(scores, "scores"), as_integers(chosen, "chosen")
    require(
        s.ndim == indices.ndim == 2 and len(s) == len(indices),
        f"scores {s.shape} and choices {indices.shape} are not rows of one number",
    )
    return s, np.broadcast_to(as_float64(error, "error"), s.shape), indices


def _flags(
    probabilities: ArrayLike, error: ArrayLike, kept: ArrayLike
) -> tuple[Float64, Float64, Booleans]:
    s, flags = as_float64(probabilities, "probabilities"), as_booleans(kept, "kept")
    require(s.shape == flags.shape, f"probabilities {s.shape} and kept {flags.shape} differ")
    return s, np.broadcast_to(as_float64(error, "error"), s.shape), flags
