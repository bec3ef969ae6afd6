"""Elementwise functions in float64: (...) > (...), arguments broadcast."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet

GELU_CUBIC = 0.044715
GELU_SLOPE = math.sqrt(2 / math.pi)

_erf_each = np.frompyfunc(math.erf, 1, 1)
_erfc_each = np.frompyfunc(math.erfc, 1, 1)


@quiet
def add(a: ArrayLike, b: ArrayLike) -> Float64:
    """Sum a + b: the residual connection. Own error: 2^-53 |y|."""
    return as_float64(a, "a") + as_float64(b, "b")


@quiet
def scale(x: ArrayLike, factor: float) -> Float64:
    """Product factor * x. Own error: 2^-53 |y|."""
    return as_float64(x) * factor


@quiet
def silu(x: ArrayLike) -> Float64:
    """SiLU (swish): x / (1 + exp(-x)).

    NaN at -inf, where -inf / inf stands in every direct form; +inf at +inf.
    Own error: 4 * 2^-53 |y|, and nothing is left below x = -709, where |y| < 1e-305.
    Source: Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units", 2017.
    """
    values = as_float64(x)
    return np.asarray(values / (1 + np.exp(-values)))


@quiet
def swiglu(gate: ArrayLike, up: ArrayLike) -> Float64:
    """SwiGLU without its projections: silu(gate) * up.

    Source: Shazeer, "GLU variants improve Transformer", 2020. Own error: 5 * 2^-53 |y|.
    """
    return silu(gate) * as_float64(up, "up")


@quiet
def glu(value: ArrayLike, gate: ArrayLike) -> Float64:
    """Gated linear unit: value * sigmoid(gate).

    Source: Dauphin et al., "Language modeling with gated convolutional networks", 2017. Own
    error: 4 * 2^-53 |y|.
    """
    return np.asarray(as_float64(value, "value") / (1 + np.exp(-as_float64(gate, "gate"))))


@quiet
def gelu(x: ArrayLike) -> Float64:
    """GELU by the error function: x (1 + erf(x / sqrt 2)) / 2 = x erfc(-x / sqrt 2) / 2.

    The second form keeps the digits that the first loses for negative x. NaN at -inf.
    Own error: (x^2 + 8) 2^-53 |y| (erfc's argument is rounded).
    Source: Hendrycks & Gimpel, "Gaussian error linear units", 2016.
    """
    values = as_float64(x)
    return 0.5 * values * erfc(-values * math.sqrt(0.5))


@quiet
def gelu_tanh(x: ArrayLike) -> Float64:
    """GELU's tanh form: x (1 + tanh t) / 2, t = sqrt(2 / pi) (x + 0.044715 x^3).

    Evaluated as x / (1 + exp(-2 t)), which is the same without the cancellation. NaN at -inf.
    Own error: (2 |t| + 8) 2^-53 |y|. Source: as for `gelu`, section 2.
    """
    values = as_float64(x)
    return np.asarray(values / (1 + np.exp(-2 * gelu_argument(values))))


def gelu_argument(values: Float64) -> Float64:
    """The argument t of gelu_tanh's tanh."""
    return GELU_SLOPE * (values + GELU_CUBIC * values * values * values)


def erf(values: Float64) -> Float64:
    """The error function, elementwise (math.erf: within 1 ULP of float64)."""
    return np.asarray(_erf_each(values), dtype=np.float64)


def erfc(values: Float64) -> Float64:
    """The complementary error function, elementwise (math.erfc)."""
    return np.asarray(_erfc_each(values), dtype=np.float64)
