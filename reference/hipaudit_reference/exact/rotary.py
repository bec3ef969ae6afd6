"""Exact rotary embedding, one element at a time."""

from __future__ import annotations

import mpmath
import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_float64
from hipaudit_reference.exact.precision import Index, Real, real, working_precision
from hipaudit_reference.references.rotary import Pairing


def rope(
    x: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    pairing: Pairing = "half",
    rotated: int | None = None,
    position_scale: float = 1.0,
    *,
    at: Index,
) -> Real:
    """Element `at` of `rope`."""
    heads = as_float64(x)
    size = heads.shape[-1] if rotated is None else rotated
    head, element = heads[at[:-1]], at[-1]
    if element >= size:
        return real(float(head[element]))
    if pairing == "half":
        pair, second = element % (size // 2), element >= size // 2
        x0, x1 = head[pair], head[pair + size // 2]
    else:
        pair, second = element // 2, element % 2 == 1
        x0, x1 = head[2 * pair], head[2 * pair + 1]
    position = int(np.asarray(positions)[at[:-2]])
    with working_precision():
        frequency = mpmath.power(real(base), mpmath.mpf(-2 * pair) / size)
        angle = real(position_scale) * position * frequency
        cosine, sine = mpmath.cos(angle), mpmath.sin(angle)
        if second:
            return real(x0) * sine + real(x1) * cosine
        return real(x0) * cosine - real(x1) * sine


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
    *,
    at: Index,
) -> Real:
    """Element `at` of the first output of `kv_append`: the key cache."""
    del v_cache, v
    token = np.flatnonzero(np.asarray(slots) == at[0])
    if not token.size:
        return real(float(as_float64(k_cache, "k_cache")[at]))
    return rope(k, positions, base, pairing, rotated, at=(int(token[0]), *at[1:]))
