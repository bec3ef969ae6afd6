"""The specs of the norms."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.inputs import float32, lengths, tensors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops
from hipaudit_runtime.ops.rowwise import summation_height

_NARROWEST_WAVE = 32
_EPSILONS = tuple(float(np.float32(value)) for value in (1e-5, 1e-6, 1e-12, 1.0))
"""Numbers that float32 holds: the kernel's epsilon is the oracle's."""

_ELEMENTS = st.sampled_from(
    # Without the magnitudes whose squares overflow: the kernel's header excludes them.
    [
        *families.WELL_SCALED,
        *(family for family in families.ALL if family.name in {"subnormal", "with nan"}),
    ]
)


@st.composite
def _inputs(draw: st.DrawFn) -> dict[str, Any]:
    columns = draw(lengths(1, 4096))
    return {
        "x": draw(tensors(float32, (lengths(1, 64), columns), _ELEMENTS)),
        "weight": draw(tensors(float32, (columns,))),
        "epsilon": draw(st.sampled_from(_EPSILONS)),
    }


def _reference(x: Array, weight: Array, epsilon: float) -> Array:
    return ref.rms_norm(x, weight, epsilon)


def _bound(x: Array, weight: Array, epsilon: float) -> Array:
    height = summation_height(x.shape[-1], _NARROWEST_WAVE)
    return bounds.rms_norm(x, weight, epsilon, height=height)


def _spot(index: tuple[int, ...], x: Array, weight: Array, epsilon: float) -> Any:
    return exact.rms_norm(x, weight, epsilon, at=index)


def _case(rows: int, columns: int, scale: float) -> dict[str, Any]:
    x = np.random.default_rng(columns).normal(0, scale, (rows, columns)).astype(float32)
    return {"x": x, "weight": np.full(columns, 1.5, float32), "epsilon": _EPSILONS[0]}


RMS_NORM = Spec(
    name="rms_norm",
    source="rms_norm.hip",
    description=(
        "Root-mean-square norm of each row of a row-major float32 matrix, with a weight a "
        "column. The sum of a row's squares must not overflow."
    ),
    inputs=_inputs(),
    launch=ops.rms_norm,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula="|y| (gamma_(h+3) / 2 + eps_rsqrt + 3 u) + underflow; Higham, 3.1 and 4.2",
    cases=(
        _case(1, 1, 1.0),
        _case(2, 576, 30.0),  # SmolLM2-135M's width
        _case(3, 1025, 1e15),
        _case(1, 1 << 17, 1.0),
    ),
)
