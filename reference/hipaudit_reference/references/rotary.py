"""Rotary position embedding in float64, and the cache update that fuses it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import (
    Float64,
    Integers,
    as_float64,
    as_integers,
    quiet,
    require,
    require_rank,
)

Pairing = Literal["half", "interleaved"]


@quiet
def rope(
    x: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    pairing: Pairing = "half",
    rotated: int | None = None,
    position_scale: float = 1.0,
) -> Float64:
    """Rotate pairs of a head's elements by the position times a frequency of the pair.

    theta_i = position_scale * position * base^(-2 i / r), i < r / 2, and
    (x0, x1) > (x0 cos theta - x1 sin theta, x0 sin theta + x1 cos theta).
    x (tokens..., heads, d), positions (tokens...) integers; `rotated` r <= d, even (default d):
    elements from r on are copied. Pairs are (i, i + r/2) for "half" (GPT-NeoX, Llama's weights
    in Hugging Face order) and (2 i, 2 i + 1) for "interleaved" (GPT-J, Llama's original order).
    Own error: (|x0| + |x1|) 2^-53 (3 |theta| + 4): at position 2^20 below 4e-10.
    Source: Su et al., "RoFormer", 2021.
    """
    heads, first, second, angle = prepare(x, positions, base, pairing, rotated, position_scale)
    cosine, sine = np.cos(angle), np.sin(angle)
    x0, x1 = heads[..., first], heads[..., second]
    turned = heads.copy()
    turned[..., first] = x0 * cosine - x1 * sine
    turned[..., second] = x0 * sine + x1 * cosine
    return turned


def prepare(
    x: ArrayLike,
    positions: ArrayLike,
    base: float,
    pairing: Pairing,
    rotated: int | None,
    position_scale: float,
) -> tuple[Float64, slice, slice, Float64]:
    """x, where the pairs' halves lie, and the angles (tokens..., 1, r / 2)."""
    heads = as_float64(x)
    require_rank(heads, 2, "x")
    size = heads.shape[-1] if rotated is None else rotated
    require(
        size % 2 == 0 and 0 <= size <= heads.shape[-1],
        f"rotated: {size} is not an even number up to the head's {heads.shape[-1]}",
    )
    where = as_integers(positions, "positions")
    require(
        where.shape == heads.shape[:-2],
        f"positions: shape {where.shape} is not x's {heads.shape} without heads and elements",
    )
    pairs = np.arange(size // 2)
    exponent = -2.0 * pairs / max(size, 1)
    angle = position_scale * where[..., None, None] * np.float64(base) ** exponent
    if pairing == "half":
        return heads, slice(0, size // 2), slice(size // 2, size), angle
    return heads, slice(0, size, 2), slice(1, size, 2), angle


@quiet
def kv_append(
    k_cache: ArrayLike,
    v_cache: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    slots: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    pairing: Pairing = "half",
    rotated: int | None = None,
) -> tuple[Float64, Float64]:
    """Append to a KV cache, with RoPE on the keys; returns both caches after it.

    k_cache, v_cache (slots, heads, d); k, v (tokens, heads, d); slots (tokens,) distinct rows of
    the caches; positions (tokens,). Slots that are not named keep their bits. Own error of the
    keys: that of `rope`.
    """
    keys, values = as_float64(k_cache, "k_cache").copy(), as_float64(v_cache, "v_cache").copy()
    rows = checked_slots(slots, keys.shape[0])
    keys[rows] = rope(k, positions, base, pairing, rotated)
    values[rows] = as_float64(v, "v")
    return keys, values


def checked_slots(slots: ArrayLike, count: int) -> Integers:
    """Slots as int64; ValueError unless they are distinct and inside the cache."""
    rows = as_integers(slots, "slots")
    outside = rows[(rows < 0) | (rows >= count)]
    require(outside.size == 0, f"slots: {outside[:1]} lies outside a cache of {count}")
    require(np.unique(rows).size == rows.size, "slots: two tokens go to one slot")
    return rows
