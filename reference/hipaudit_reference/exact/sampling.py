"""Exact sampling steps, one element at a time."""

from __future__ import annotations

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import as_booleans, as_float64
from hipaudit_reference.exact.precision import Index, Real, real, reals, total, working_precision


def temperature(logits: ArrayLike, value: float, *, at: Index) -> Real:
    """Element `at` of `temperature`."""
    with working_precision():
        return real(float(as_float64(logits, "logits")[at])) / real(value)


def repetition_penalty(logits: ArrayLike, seen: ArrayLike, penalty: float, *, at: Index) -> Real:
    """Element `at` of `repetition_penalty`."""
    with working_precision():
        logit = real(float(as_float64(logits, "logits")[at]))
        if not as_booleans(seen, "seen")[at]:
            return logit
        return logit / real(penalty) if logit > 0 else logit * real(penalty)


def renormalise(probabilities: ArrayLike, kept: ArrayLike, *, at: Index) -> Real:
    """Element `at` of `renormalise`."""
    flags = as_booleans(kept, "kept")
    row = as_float64(probabilities, "probabilities")[at[:-1]]
    with working_precision():
        if not flags[at]:
            return mpmath.mpf(0)
        mass = total(reals(row[flags[at[:-1]]]))
        return real(float(row[at[-1]])) / mass if mass != 0 else mpmath.mpf(0)
