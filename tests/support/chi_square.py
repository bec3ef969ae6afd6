"""Whether counts could be those of a distribution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_NATS = 20.0
"""One true distribution in e^20 = 5e8 is taken for a false one."""


def fits(counts: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> bool:
    """Pearson's statistic, against a bound of the chi-square distribution's tail.

    P(X >= k + 2 sqrt(k t) + 2 t) <= e^-t for k degrees of freedom: Laurent and Massart, "Adaptive
    estimation of a quadratic functional", 2000, lemma 1. Cells are joined, the rarest first, until
    5 counts are expected in each; a count where there is no probability never fits.
    """
    if counts[probabilities == 0].any():
        return False
    order = np.argsort(probabilities)
    expected = (probabilities * counts.sum())[order].tolist()
    seen = counts[order].tolist()
    while len(expected) > 1 and expected[0] < 5:
        joined, count = expected.pop(0), seen.pop(0)
        expected[0] += joined
        seen[0] += count
    assert len(expected) > 1
    statistic = sum((a - b) ** 2 / b for a, b in zip(seen, expected, strict=True))
    freedom = len(expected) - 1
    return bool(statistic < freedom + 2 * math.sqrt(freedom * _NATS) + 2 * _NATS)
