"""How far a runtime's logits may lie from the exact ones.

Each operation's error has a derived bound b_i, but composing them worst case upon worst case over
dozens of layers bounds nothing. So they are composed as Higham & Mary (2019) do for one sum: the
errors e_i, |e_i| <= b_i, are taken as independent with mean zero. To first order the logits are
then off by sum_i J_i e_i, and by Hoeffding's inequality

    P(|sum_i J_i e_i| > lambda sqrt(sum_i (J_i b_i)^2)) <= 2 exp(-lambda^2 / 2).

The root is not computed with the Jacobians J_i but measured: with e_i drawn uniformly from
[-b_i, b_i] the logits have the variance sum_i (J_i b_i)^2 / 3, which a few random passes of the
float64 model estimate. An estimate of s samples is below the truth by no more than the quantile of
the chi-square distribution says, and is divided by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, require
from hipaudit_reference.models.transformer import Rounding, Transformer

LAMBDA: Final = 7.0
"""A logit exceeds the bound with probability 2 exp(-24.5) = 5e-11."""

_DOUBT: Final = 1e-6
"""The probability that a logit's estimated spread is smaller than what it is divided by says."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """The exact logits and their bound, both (tokens, vocabulary)."""

    logits: Float64
    bound: Float64

    def worst(self, logits: ArrayLike) -> float:
        """The largest |logits - exact| / bound; NaN and Inf where no number was to be expected."""
        found = as_float64(logits, "logits")
        require(found.shape == self.logits.shape, f"logits: {found.shape}, not {self.logits.shape}")
        with np.errstate(all="ignore"):
            ratio = np.abs(found - self.logits) / self.bound
        return float(np.max(np.where(np.isnan(ratio), np.inf, ratio), initial=0.0))


def deviation(
    model: Transformer, tokens: Sequence[int], samples: int = 16, seed: int = 0
) -> Deviation:
    """The logits of a sequence with the bound of what a float32 runtime makes of it.

    samples  random passes; more make the bound tighter
    """
    require(samples > 0, f"samples: {samples}")
    errors: list[Float64] = []

    def noted(result: Float64, error: Callable[[], Float64]) -> Float64:
        errors.append(error())
        return result

    truth = model.logits(tokens, noted)
    squares = np.zeros_like(truth)
    for each in np.random.default_rng(seed).spawn(samples):
        squares += (model.logits(tokens, _noise(each, errors)) - truth) ** 2
    spread = np.sqrt(3 * squares / _least_chi_square(samples))
    return Deviation(truth, LAMBDA * spread)


def _noise(generator: np.random.Generator, errors: Sequence[Float64]) -> Rounding:
    """Each result off by a part of its bound, drawn uniformly from -1 to 1.

    To first order the bounds are those of the exact pass.
    """
    bounds = iter(errors)

    def rounded(result: Float64, error: Callable[[], Float64]) -> Float64:
        del error
        return np.asarray(result + next(bounds) * generator.uniform(-1, 1, result.shape))

    return rounded


def _least_chi_square(samples: int) -> float:
    """The quantile `_DOUBT` of chi-square with so many degrees of freedom.

    Where x is small, P(chi^2 < x) < (x / 2)^(k / 2) / Gamma(k / 2 + 1): the density's exponential
    is at most 1. Solved for x it is a lower bound of the quantile, and close to it.
    """
    half = samples / 2
    return 2 * math.exp((math.log(_DOUBT) + math.lgamma(half + 1)) / half)
