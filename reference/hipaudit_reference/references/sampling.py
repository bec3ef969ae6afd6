"""Sampling of the next token, in float64: each step on its own.

Order of an engine's steps: repetition penalty and temperature on the logits, softmax, then the
filters (top-k, top-p, min-p), which give the tokens that are kept, and the draw. Everywhere ties
go to the lower index: tokens are ordered by (probability, index). Kernels are judged by
`acceptance`, which knows how much the device's rounding may move a border.
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
    quiet,
    require,
)
from hipaudit_reference.references.experts import descending
from hipaudit_reference.references.sums import argmax


@quiet
def temperature(logits: ArrayLike, value: float) -> Float64:
    """Logits (..., v) divided by the temperature, value > 0. Own error: 2^-53 |y|."""
    require(value > 0, f"value: a temperature of {value} is not > 0; greedy choice is argmax")
    return as_float64(logits, "logits") / value


@quiet
def repetition_penalty(logits: ArrayLike, seen: ArrayLike, penalty: float) -> Float64:
    """Logits of tokens seen before: divided by the penalty if > 0, else multiplied by it.

    logits (..., v), seen (..., v) booleans, penalty > 0. A token seen often is penalised once.
    Source: Keskar et al., "CTRL", 2019, section 4.1. Own error: 2^-53 |y|.
    """
    require(penalty > 0, f"penalty: {penalty} is not > 0")
    values = as_float64(logits, "logits")
    penalised = np.where(values > 0, values / penalty, values * penalty)
    return np.where(as_booleans(seen, "seen"), penalised, values)


def top_k(probabilities: ArrayLike, k: int) -> Booleans:
    """The k most probable tokens of each row: (..., v) booleans. k = 0 or k >= v keeps all."""
    p = as_float64(probabilities, "probabilities")
    if k <= 0 or k >= p.shape[-1]:
        return np.ones(p.shape, dtype=np.bool_)
    return _first(descending(p), np.full(p.shape[:-1], k, dtype=np.int64))


@quiet
def top_p(probabilities: ArrayLike, p: float) -> Booleans:
    """The nucleus: the fewest most probable tokens whose sum reaches p; at least one.

    probabilities (..., v) summing to 1 > (..., v) booleans; p >= 1 keeps all.
    Source: Holtzman et al., "The curious case of neural text degeneration", 2020.
    """
    mass = as_float64(probabilities, "probabilities")
    if p >= 1:
        return np.ones(mass.shape, dtype=np.bool_)
    order = descending(mass)
    before = np.cumsum(np.take_along_axis(mass, order, axis=-1), axis=-1)
    count = np.sum(before < p, axis=-1) + 1
    return _first(order, np.minimum(count, mass.shape[-1]))


@quiet
def min_p(probabilities: ArrayLike, share: float) -> Booleans:
    """Tokens at least `share` times as probable as the most probable one."""
    p = as_float64(probabilities, "probabilities")
    return np.asarray(p >= share * np.max(p, axis=-1, keepdims=True, initial=0.0))


@quiet
def renormalise(probabilities: ArrayLike, kept: ArrayLike) -> Float64:
    """Probabilities of the kept tokens, summing to 1; 0 for the others.

    probabilities and kept (..., v); returns (..., v). An empty set, or one without mass, is a row
    of 0 (the launcher must have refused it). Own error: 2^-53 (log2 v + 9) y.
    """
    mass = np.where(as_booleans(kept, "kept"), as_float64(probabilities, "probabilities"), 0.0)
    total = np.sum(mass, axis=-1, keepdims=True)
    return np.where(total == 0, 0.0, mass / total)


@quiet
def multinomial(probabilities: ArrayLike, draw: ArrayLike) -> Integers:
    """Inverse-CDF draw: the first index whose running sum exceeds draw times the row's sum.

    probabilities (..., v) not necessarily normalised, draw (...) in [0, 1); returns (...).
    A token of probability 0 is never chosen; a row without mass gives -1.
    """
    sums = np.cumsum(as_float64(probabilities, "probabilities"), axis=-1)
    total = sums[..., -1]
    index = np.sum(sums <= (as_float64(draw, "draw") * total)[..., None], axis=-1)
    return np.where(total > 0, index, -1).astype(np.int64)


def greedy(logits: ArrayLike) -> Integers:
    """The most probable token of each row, ties to the lower index: `argmax`."""
    return argmax(logits)


def _first(order: Integers, count: Integers) -> Booleans:
    """Mark the first `count` indices of an order."""
    kept = np.zeros(order.shape, dtype=np.bool_)
    np.put_along_axis(kept, order, np.arange(order.shape[-1]) < count[..., None], axis=-1)
    return kept
