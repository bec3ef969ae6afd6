"""How a kernel adds: models of summation order, each with its error coefficient.

For a sum of n terms computed in a format of unit roundoff u, every model promises

    |computed - exact| <= coefficient(n, u) * sum |x_i|

barring overflow and underflow. The coefficients of recursive summation need no second-order
term (Jeannerod & Rump, "Improved error bounds for inner products in floating-point arithmetic",
SIAM J. Matrix Anal. Appl. 34, 2013, 338-344); those of trees are gamma_h (Higham, "Accuracy and
Stability of Numerical Algorithms", 2nd ed., section 4.2; Higham, "The accuracy of floating point
summation", SIAM J. Sci. Comput. 14, 1993, 783-799).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from hipaudit_reference.formats import Format

# The O(n u^2) of compensated summation, whose constant the literature leaves open.
_KAHAN_SECOND_ORDER = 8.0


def gamma(n: float, u: float) -> float:
    """gamma_n = n u / (1 - n u); infinite from n u = 1 on (Higham, section 3.1)."""
    return compose(n * u)


def compose(*relative: float) -> float:
    """Bound |prod (1 + d_i)^(+-1) - 1| for |d_i| up to the given values: s / (1 - s), s their sum.

    Higham, lemma 3.1, for unequal d_i. Infinite from s = 1 on.
    """
    total = sum(relative)
    return total / (1 - total) if total < 1 else math.inf


@runtime_checkable
class Summation(Protocol):
    """An order of summation."""

    def coefficient(self, terms: int, u: float) -> float:
        """Error of a sum of this many terms, in units of the sum of their magnitudes."""
        ...


@dataclass(frozen=True, slots=True)
class Serial:
    """One accumulator, any order: (n - 1) u, the worst of all trees."""

    def coefficient(self, terms: int, u: float) -> float:
        """(n - 1) u."""
        return max(terms - 1, 0) * u


@dataclass(frozen=True, slots=True)
class Tree:
    """A summation tree: no term passes through more than `height` additions."""

    height: int

    def coefficient(self, terms: int, u: float) -> float:
        """gamma_height; ValueError when a binary tree of this height cannot hold the terms."""
        least = max(terms - 1, 0).bit_length()
        if self.height < least:
            msg = f"a tree of height {self.height} cannot add {terms} terms: that takes {least}"
            raise ValueError(msg)
        return gamma(self.height, u)


@dataclass(frozen=True, slots=True)
class Strided:
    """The usual reduction of a block: each lane adds every lanes-th term, then a tree of lanes."""

    lanes: int

    def coefficient(self, terms: int, u: float) -> float:
        """The gamma of ceil(n / lanes) - 1 + ceil(log2 lanes)."""
        serial = max(-(-terms // self.lanes) - 1, 0)
        # Lanes without a term add a zero, which is exact.
        levels = min((self.lanes - 1).bit_length(), max(min(self.lanes, terms) - 1, 0))
        return gamma(serial + levels, u)


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Halving down to runs of `base` terms, which are added serially."""

    base: int = 1

    def coefficient(self, terms: int, u: float) -> float:
        """The gamma of base - 1 + ceil(log2(n / base))."""
        runs = -(-terms // self.base)
        return gamma(min(self.base, terms) - 1 + max(runs - 1, 0).bit_length(), u) if terms else 0.0


@dataclass(frozen=True, slots=True)
class Kahan:
    """Compensated summation: 2 u + O(n u^2) (Higham, equation 4.8)."""

    def coefficient(self, terms: int, u: float) -> float:
        """2 u + 8 n u^2; nothing for a single term."""
        return 2 * u + _KAHAN_SECOND_ORDER * terms * u * u if terms > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Compensated:
    """A tree of two-sums whose errors are added beside it, and to the sum at last.

    u |sum x| + gamma_h gamma_2h sum |x|, h the tree's height: the errors' magnitudes are at most
    gamma_h sum |x|, and each of them passes through fewer than 2 h additions of its own. Much
    less than Kahan's where the terms cancel. Source: Ogita, Rump & Oishi, "Accurate sum and dot
    product", SIAM J. Sci. Comput. 26, 2005, 1955-1988, proposition 4.5, which is that of a
    serial sum.
    """

    height: int

    def coefficient(self, terms: int, u: float) -> float:
        """Return u on top of `beyond_rounding`: what holds whether the terms cancel or not."""
        return u + self.beyond_rounding(u) if terms > 1 else 0.0

    def beyond_rounding(self, u: float) -> float:
        """What is left beside the rounding of the result: (1 + u) gamma_h gamma_2h."""
        return (1 + u) * gamma(self.height, u) * gamma(2 * self.height, u)


@dataclass(frozen=True, slots=True)
class SplitK:
    """Terms split into runs that are summed apart, stored in `partial` and then added there.

    With `partial` None the partial sums keep the working format. Else each is rounded to it
    once and every one of the splits - 1 additions rounds to it again: gamma_splits(u_partial).
    """

    splits: int
    within: Summation = field(default_factory=Serial)
    partial: Format | None = None

    def coefficient(self, terms: int, u: float) -> float:
        """The runs' own coefficient, composed with that of adding the runs."""
        run = self.within.coefficient(-(-terms // self.splits), u)
        if self.partial is None:
            return compose(run, (self.splits - 1) * u)
        return compose(run, self.splits * max(u, self.partial.unit_roundoff))


@dataclass(frozen=True, slots=True)
class BlockFma:
    """A matrix unit that adds `width` products and the accumulator at a time.

    Blanchard, Higham, Lopez, Mary & Pranesh, "Mixed precision block fused multiply-add: error
    analysis and application to GPU tensor cores", SIAM J. Sci. Comput. 42, 2020, C124-C141. With
    `exact_inside` a step rounds once, else each of its additions rounds.
    """

    width: int
    exact_inside: bool = True

    def coefficient(self, terms: int, u: float) -> float:
        """The gamma of ceil(n / width), or of ceil(n / width) - 1 + width."""
        steps = -(-terms // self.width)
        return gamma(steps if self.exact_inside else steps - 1 + self.width, u) if terms else 0.0


@dataclass(frozen=True, slots=True)
class Probabilistic:
    """Another model's bound with the square root of its rounding count.

    exp((lambda sqrt(h) u + h u^2) / (1 - u)) - 1 where the model has h roundings (Higham & Mary,
    "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41, 2019,
    A2815-A2835, theorem 2.4). It holds for roundings that are independent with mean zero, so
    never for a truncating unit.
    """

    of: Summation
    confidence: float = 5.0

    def coefficient(self, terms: int, u: float) -> float:
        """The deterministic coefficient's root form."""
        roundings = self.of.coefficient(terms, u) / u
        exponent = (self.confidence * math.sqrt(roundings) * u + roundings * u * u) / (1 - u)
        return math.expm1(exponent)

    def probability(self, u: float) -> float:
        """At least how likely one sum keeps the bound: 1 - 2 exp(-lambda^2 (1 - u)^2 / 2)."""
        return 1 - 2 * float(np.exp(-((self.confidence * (1 - u)) ** 2) / 2))


# What bounds accept as `height`: a tree height, a model, or None for "any order at all".
Height: TypeAlias = "int | Summation | None"


def model(height: Height) -> Summation:
    """The summation model that a `height` argument means."""
    if height is None:
        return Serial()
    return Tree(height) if isinstance(height, int) else height
