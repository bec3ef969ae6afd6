"""Which tree a summation follows, from the outputs of masked probes.

A probe has a huge M at i, -M at j and the unit elsewhere. Units that meet M before it is
cancelled are lost to rounding, so the output counts the units outside the smallest subtree that
holds i and j: its size l(i, j) = n - output / unit. These sizes determine the tree.
Source: Xie et al., "FPRev: revealing the order of floating-point summation", arXiv 2411.00442.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, Integers, as_float64, require
from hipaudit_reference.formats import FP32, Format

_UNIT_BITS = 8


@dataclass(frozen=True, slots=True)
class SummationTree:
    """A node: a leaf has its term's index, an inner node the children it adds in one step."""

    terms: int
    height: int
    index: int = -1
    children: tuple[SummationTree, ...] = field(default=(), repr=False)

    @property
    def fused(self) -> bool:
        """Whether this node adds more than two children at once, as a matrix unit does."""
        return len(self.children) > 2


def probe_pairs(terms: int) -> Integers:
    """All pairs i < j: (n (n - 1) / 2, 2)."""
    return np.stack(np.triu_indices(terms, k=1), axis=-1).astype(np.int64)


def masks(terms: int, working: Format = FP32) -> tuple[float, float]:
    """(M, unit) for a format: M swallows n units, and M and n units are in its range.

    ValueError when the format is too small for that many terms.
    """
    mask = 2.0 ** (working.max_exponent - 1)
    unit = working.min_normal
    # Half the spacing at M must exceed the sum of all units, and that sum must be exact.
    fits = terms * unit < mask * working.unit_roundoff / 2 and terms < 2**working.precision
    require(fits, f"{working.name} cannot tell {terms} terms apart")
    # Units near 1 are safer where there is room: products of a unit with itself must not vanish.
    if 2.0 ** (_UNIT_BITS + working.precision) * terms < mask:
        unit = 1.0
    return mask, unit


def probes(terms: int, working: Format = FP32) -> Float64:
    """The inputs of all pairs: (n (n - 1) / 2, n), exact in the format."""
    mask, unit = masks(terms, working)
    pairs = probe_pairs(terms)
    inputs = np.full((len(pairs), terms), unit)
    np.put_along_axis(inputs, pairs[:, :1], mask, axis=1)
    np.put_along_axis(inputs, pairs[:, 1:], -mask, axis=1)
    return inputs


def reveal(outputs: ArrayLike, terms: int, working: Format = FP32) -> SummationTree:
    """The tree from the sums of `probes`, in their order.

    ValueError when no tree explains them: the sum is compensated, not deterministic, or not a
    sum of its terms once each.
    """
    sums = as_float64(outputs, "outputs").reshape(-1)
    require(
        sums.size == terms * (terms - 1) // 2,
        f"outputs: {sums.size} sums for the {terms * (terms - 1) // 2} pairs of {terms} terms",
    )
    _, unit = masks(terms, working)
    counts = terms - sums / unit
    whole = bool(np.all((counts == np.rint(counts)) & (counts >= 2) & (counts <= terms)))
    require(whole, "outputs: no tree sums like this, some output is no count of units")
    sizes = np.zeros((terms, terms), dtype=np.int64)
    i, j = probe_pairs(terms).T
    sizes[i, j] = sizes[j, i] = counts.astype(np.int64)
    return _build(list(range(terms)), sizes)


def _build(members: list[int], sizes: Integers) -> SummationTree:
    """Grow the tree round its first member, one ancestor at a time."""
    first, others = members[0], np.array(members[1:], dtype=np.int64)
    node = SummationTree(terms=1, height=0, index=first)
    for size in np.unique(sizes[first, others]).tolist():
        joined = others[sizes[first, others] == size]
        parts = [_build(part, sizes) for part in _siblings(joined, size, sizes)]
        children = (node, *parts)
        node = SummationTree(
            terms=sum(child.terms for child in children),
            height=1 + max(child.height for child in children),
            children=children,
        )
        require(
            node.terms == size,
            f"outputs: no tree sums like this, {node.terms} terms meet where {size} should",
        )
    return node


def _siblings(joined: Integers, size: int, sizes: Integers) -> list[list[int]]:
    """Split what joins at one node into its subtrees: members that meet below the node."""
    left, parts = joined, []
    while left.size:
        own = (sizes[left[0], left] < size) | (left == left[0])
        parts.append(left[own].tolist())
        left = left[~own]
    return parts
