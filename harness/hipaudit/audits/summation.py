"""How a kernel sums, found out from outside: its summation tree, and how its error grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.spec import Spec, Sums
from hipaudit_reference.analysis import GrowthFit, SummationTree, fit_growth, probes, reveal

PROBED = (3, 32, 65, 200)
"""Terms of the sums whose trees are probed: half as many probes as their squares."""

SIZES = tuple(2**k for k in range(4, 17, 2))
"""Terms of the sums whose errors are measured."""

_ROWS = 48
_UNIT = 2.0**-24


@dataclass(frozen=True, slots=True)
class Revealed:
    """A probed sum: its terms, its tree's height (None: no tree), and the height claimed."""

    terms: int
    height: int | None
    claimed: int | None


@dataclass(frozen=True, slots=True)
class Summation:
    """How a kernel sums on one part.

    trees   what the masked probes revealed, by the number of terms
    growth  terms, and root mean square of |error| / (u sum |x|) of random positive terms
    fit     the law that those follow
    """

    trees: tuple[Revealed, ...]
    growth: tuple[tuple[int, float], ...]
    fit: GrowthFit

    @property
    def sentence(self) -> str:
        """Say how the kernel sums, in one line."""
        last = self.trees[-1]
        tree = (
            f"{last.terms} terms are added in a tree of height {last.height}"
            if last.height is not None
            else f"no tree explains how {last.terms} terms are added: the sum is compensated"
        )
        claimed = "" if last.claimed is None else f" (the bound allows {last.claimed})"
        return f"{tree}{claimed}; the error grows as n^{self.fit.exponent:.2f} ({self.fit.law})"

    def as_json(self) -> dict[str, Any]:
        """Return the summation as plain data."""
        return {"sentence": self.sentence, "growth": [list(point) for point in self.growth]}


def summation(spec: Spec, device: Device) -> Summation:
    """Find out how the kernel of a spec that has `sums` adds up.

    Raises UsageError for a spec without.
    """
    if spec.sums is None:
        raise UsageError(f"{spec.name} is no sum of terms")
    trees = tuple(revealed(spec.sums, device, terms) for terms in PROBED)
    growth = tuple((terms, _error(spec.sums, device, terms)) for terms in SIZES)
    fit = fit_growth([n for n, _ in growth], [error for _, error in growth])
    return Summation(trees, growth, fit)


def revealed(sums: Sums, device: Device, terms: int) -> Revealed:
    """Reveal the tree of a sum of so many terms."""
    tree = tree_of(sums, device, terms)
    claimed = None if sums.height is None else sums.height(terms)
    return Revealed(terms, None if tree is None else tree.height, claimed)


def tree_of(sums: Sums, device: Device, terms: int) -> SummationTree | None:
    """Return the summation tree of so many terms; None when no tree explains the sums."""
    masked = probes(terms).astype(np.float32)
    try:
        return reveal(sums.launch(device, masked), terms)
    except ValueError:
        return None


def _error(sums: Sums, device: Device, terms: int) -> float:
    """Return the root mean square error of sums of random positive terms, in u sum |x|."""
    generator = np.random.default_rng(terms)
    drawn = generator.uniform(0, 1, (_ROWS, terms)).astype(np.float32)
    exact = drawn.astype(np.float64).sum(axis=1)
    relative = (sums.launch(device, drawn) - exact) / (exact * _UNIT)
    return float(f"{np.sqrt(np.mean(relative**2)):.3g}")
