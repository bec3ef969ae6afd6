"""Exact audio front end and convolutions, one element at a time."""

from __future__ import annotations

import mpmath
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.exact.precision import (
    Index,
    Real,
    dot,
    real,
    reals,
    total,
    working_precision,
)
from hipaudit_reference.references import audio as reference


def power_spectrum(signal: ArrayLike, window: ArrayLike, hop: int, *, at: Index) -> Real:
    """Element `at` of `power_spectrum`, by the DFT's definition."""
    with working_precision():
        return _power(_frame(signal, window, hop, at[:-1]), at[-1])


def log_mel(
    signal: ArrayLike,
    window: ArrayLike,
    filters: ArrayLike,
    hop: int,
    floor: float = 1e-10,
    *,
    at: Index,
) -> Real:
    """Element `at` of `log_mel`."""
    bank = as_float64(filters, "filters")[at[-1]]
    with working_precision():
        frame = _frame(signal, window, hop, at[:-1])
        parts = [real(float(w)) * _power(frame, k) for k, w in enumerate(bank) if w != 0]
        return mpmath.log10(max(total(parts), real(floor)))


def conv1d_depthwise(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    padding: int = 0,
    *,
    at: Index,
) -> Real:
    """Element `at` of `conv1d_depthwise`."""
    view, kernel, shift = reference.depthwise_operands(x, weight, bias, padding)
    with working_precision():
        return dot(reals(view[at]), reals(kernel[at[-2]])) + real(float(shift[at[-2]]))


def conv1d_pointwise(
    x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, *, at: Index
) -> Real:
    """Element `at` of `conv1d_pointwise`."""
    samples, kernel = as_float64(x), as_float64(weight, "weight")
    with working_precision():
        product = dot(reals(kernel[at[-2]]), reals(samples[at[:-2]][:, at[-1]]))
        if bias is None:
            return product
        return product + real(float(as_float64(bias, "bias")[at[-2]]))


def _frame(signal: ArrayLike, window: ArrayLike, hop: int, at: Index) -> list[Real]:
    """Samples times window, exactly."""
    samples: Float64 = as_float64(signal, "signal")[at[:-1]]
    shape = reals(window)
    piece = reals(samples[at[-1] * hop : at[-1] * hop + len(shape)])
    return [a * b for a, b in zip(piece, shape, strict=True)]


def _power(frame: list[Real], k: int) -> Real:
    """|X_k|^2 of one frame."""
    n = len(frame)
    step = 2 * mpmath.pi * k / n
    cosines = [mpmath.cos(step * j) for j in range(n)]
    sines = [mpmath.sin(step * j) for j in range(n)]
    return dot(frame, cosines) ** 2 + dot(frame, sines) ** 2
