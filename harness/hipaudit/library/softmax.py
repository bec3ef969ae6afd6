"""The specs of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.inputs import float32, logits, matrices
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops
from hipaudit_runtime.ops.rowwise import summation_height

_NARROWEST_WAVE = 32
"""The bound is called without a device; the narrower wave has the higher summation tree."""


def _bound(x: Array) -> Array:
    return bounds.softmax(x, height=summation_height(x.shape[-1], _NARROWEST_WAVE))


def _spot(index: tuple[int, ...], x: Array) -> Any:
    return exact.softmax(x, at=index)


def _row(*values: float) -> dict[str, Any]:
    return {"x": np.array([values], dtype=float32)}


SOFTMAX = Spec(
    name="softmax",
    source="softmax.hip",
    description=(
        "Softmax of each row of a row-major float32 matrix. -inf masks an element, in a row of "
        "-inf alone as well (0 everywhere); NaN or +inf makes its row NaN."
    ),
    inputs=st.fixed_dictionaries({"x": matrices(float32, elements=logits())}),
    launch=ops.softmax,
    reference=ref.softmax,
    bound=_bound,
    spot=_spot,
    formula=(
        "g (u d + u sum g d + 2 eps_exp + gamma_h + u) + underflow, d = max x - x; Blanchard, "
        "Higham and Higham, 2021"
    ),
    cases=(
        _row(7.0),
        _row(-np.inf),
        _row(-np.inf, -np.inf, -np.inf),
        _row(-np.inf, 0.0, -np.inf),
        _row(np.nan, -np.inf),
        _row(133120.0, 133120.0, 133120.0),  # a head's logits in a bfloat16 failure report
        _row(-6e4, -5.0001e4, -5.5e4),  # below the finite sentinel of some masks
        _row(3.4e38, -3.4e38),
        {"x": np.linspace(-20, 20, 3 * 1025, dtype=float32).reshape(3, 1025)},
        {"x": np.zeros((1, 1 << 17), dtype=float32)},
    ),
)

SPECS = (SOFTMAX,)
