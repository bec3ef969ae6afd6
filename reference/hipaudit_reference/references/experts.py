"""Mixture of experts in float64: router, permutation, grouped product, combination."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, Integers, as_float64, as_integers, quiet, require
from hipaudit_reference.references.softmaxes import softmax


@quiet
def router(logits: ArrayLike, count: int, normalised: bool = True) -> tuple[Float64, Integers]:
    """Choose each token's experts: (weights, indices), both (tokens, count).

    Softmax over the experts, then the `count` largest, in falling order, ties to the lower
    index; normalised: their weights are divided by their sum. logits (tokens, experts).
    A kernel's indices are judged by `acceptance.top_k`, not by equality: near a tie the other
    choice is as right. A row of NaN gives NaN weights and the first indices.
    Own error of the weights: that of `softmax`, twice when normalised.
    Source: Shazeer et al., "Outrageously large neural networks", 2017, section 2.1.
    """
    probabilities = softmax(logits)
    require(
        0 <= count <= probabilities.shape[-1],
        f"count: {count} experts of {probabilities.shape[-1]}",
    )
    order = descending(probabilities)[..., :count]
    return router_weights(probabilities, order, normalised), order


def router_weights(probabilities: Float64, chosen: Integers, normalised: bool) -> Float64:
    """The weights of chosen experts."""
    weights = np.take_along_axis(probabilities, chosen, axis=-1)
    if normalised and weights.size:
        return np.asarray(weights / np.sum(weights, axis=-1, keepdims=True))
    return weights


def descending(values: Float64) -> Integers:
    """Indices of the last axis in falling order of value; ties to the lower index, NaN last."""
    return np.argsort(-values, axis=-1, kind="stable").astype(np.int64)


def permute(chosen: ArrayLike, experts: int) -> tuple[Integers, Integers]:
    """Sort (token, choice) pairs by expert: (source, offsets).

    chosen (tokens, count) integers in [0, experts). source (tokens * count,): flat indices
    token * count + choice, grouped by expert and in their order within one (a stable sort);
    offsets (experts + 1,): where each expert's group begins. Exact.
    """
    flat = as_integers(chosen, "chosen").reshape(-1)
    outside = flat[(flat < 0) | (flat >= experts)]
    require(outside.size == 0, f"chosen: {outside[:1]} is no expert of {experts}")
    source = np.argsort(flat, kind="stable").astype(np.int64)
    counts = np.bincount(flat, minlength=experts)
    return source, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@quiet
def grouped_gemm(x: ArrayLike, weights: ArrayLike, offsets: ArrayLike) -> Float64:
    """Each group of rows times its expert's matrix.

    x (rows, k), weights (experts, k, n), offsets (experts + 1,) rising from 0 to rows; returns
    (rows, n). Own error: 2^-53 k |x| |w|.
    """
    rows, matrices = as_float64(x), as_float64(weights, "weights")
    bounds = group_bounds(offsets, rows.shape[0], matrices.shape[0])
    parts = [rows[i:j] @ matrix for (i, j), matrix in zip(bounds, matrices, strict=True)]
    return np.concatenate(parts) if parts else np.zeros((0, matrices.shape[-1]))


def group_bounds(offsets: ArrayLike, rows: int, experts: int) -> list[tuple[int, int]]:
    """First and last row of every group."""
    edges = as_integers(offsets, "offsets").tolist()
    require(
        len(edges) == experts + 1
        and edges[0] == 0
        and edges[-1] == rows
        and edges == sorted(edges),
        f"offsets: {edges} do not rise from 0 to {rows} in {experts} groups",
    )
    return list(pairwise(edges))


@quiet
def combine(y: ArrayLike, weights: ArrayLike, source: ArrayLike) -> Float64:
    """Weighted sum of each token's experts' outputs: (tokens, n).

    y (tokens * count, n) in `permute`'s order, weights (tokens, count), source from `permute`.
    Own error: 2^-53 count sum |w y|.
    """
    shares = as_float64(weights, "weights")
    return np.asarray(np.einsum("tc,tcn->tn", shares, by_token(y, source, shares)))


def by_token(y: ArrayLike, source: ArrayLike, weights: Float64) -> Float64:
    """Rows put back to (tokens, count, n)."""
    rows = as_float64(y, "y")
    order = as_integers(source, "source")
    require(
        rows.shape[0] == weights.size == order.size,
        f"y has {rows.shape[0]} rows and source {order.size} for {weights.size} weights",
    )
    restored = np.empty_like(rows)
    restored[order] = rows
    return restored.reshape(*weights.shape, rows.shape[-1])
