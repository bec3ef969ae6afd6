"""The specs of the norms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, tensors
from hipaudit.spec import Array, Inputs, Spec
from hipaudit_reference import bounds, exact, formats
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


_HALVES = (float16, bfloat16)


@composite
def _inputs(
    draw: st.DrawFn,
    *rows: str,
    vectors: tuple[str, ...] = ("weight",),
    dtypes: tuple[np.dtype[Any], ...] = (float32,),
) -> dict[str, Any]:
    """Matrices of one shape, and vectors of their columns."""
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(lengths(1, 64)), draw(lengths(1, 4096))
    return {
        **{name: draw(tensors(dtype, shape, _ELEMENTS)) for name in rows},
        **{name: draw(tensors(dtype, shape[1:])) for name in vectors},
        "epsilon": draw(st.sampled_from(_EPSILONS)),
    }


def _reference(x: Array, weight: Array, epsilon: float) -> Array:
    return ref.rms_norm(x, weight, epsilon)


def _bound(x: Array, weight: Array, epsilon: float) -> Array:
    height = summation_height(x.shape[-1], _NARROWEST_WAVE)
    return bounds.rms_norm(x, weight, epsilon, height=height, out=formats.format_of(x))


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
    inputs=_inputs("x"),
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


def _layer_reference(x: Array, weight: Array, bias: Array, epsilon: float) -> Array:
    return ref.layer_norm(x, weight, bias, epsilon)


def _layer_bound(x: Array, weight: Array, bias: Array, epsilon: float) -> Array:
    height = summation_height(x.shape[-1], _NARROWEST_WAVE)
    out = formats.format_of(x)
    return bounds.layer_norm(x, weight, bias, epsilon, height=height, out=out)


def _layer_spot(
    index: tuple[int, ...], x: Array, weight: Array, bias: Array, epsilon: float
) -> Any:
    return exact.layer_norm(x, weight, bias, epsilon, at=index)


def _layer_case(rows: int, columns: int, scale: float, offset: float = 0.0) -> dict[str, Any]:
    case = _case(rows, columns, scale)
    case["x"] += np.float32(offset)
    return {**case, "bias": np.linspace(-1, 1, columns, dtype=float32)}


LAYER_NORM = Spec(
    name="layer_norm",
    source="layer_norm.hip",
    description=(
        "Layer norm of each row of a row-major float32 matrix, with a weight and a bias a "
        "column; the variance is that of the centred row."
    ),
    inputs=_inputs("x", vectors=("weight", "bias")),
    launch=ops.layer_norm,
    reference=_layer_reference,
    bound=_layer_bound,
    spot=_layer_spot,
    formula="as RMSNorm's for x - mean, and gamma_(h+1) mean |x| r |weight|; Higham, 1.9 and 3.1",
    cases=(
        _layer_case(1, 1, 1.0),
        _layer_case(2, 576, 30.0),
        _layer_case(3, 1025, 1.0, offset=1000.0),  # where E x^2 - mean^2 would cancel
    ),
)


def _residual_reference(
    x: Array, residual: Array, weight: Array, epsilon: float
) -> tuple[Array, ...]:
    return ref.residual_rms_norm(x, residual, weight, epsilon)


def _residual_bound(x: Array, residual: Array, weight: Array, epsilon: float) -> tuple[Array, ...]:
    height = summation_height(x.shape[-1], _NARROWEST_WAVE)
    return bounds.residual_rms_norm(
        x,
        residual,
        weight,
        epsilon,
        height=height,
        from_stored=True,
        out=formats.format_of(x),
    )


def _residual_spot(
    index: tuple[int, ...], x: Array, residual: Array, weight: Array, epsilon: float
) -> Any:
    return exact.residual_rms_norm(x, residual, weight, epsilon, at=index)


def _residual_case(rows: int, columns: int) -> dict[str, Any]:
    case = _case(rows, columns, 3.0)
    return {**case, "residual": np.roll(case["x"], 1, axis=-1)}


RESIDUAL_RMS_NORM = Spec(
    name="residual_rms_norm",
    source="residual_rms_norm.hip",
    description=(
        "Sum of two row-major float32 matrices, and the root-mean-square norm of its rows with "
        "a weight a column."
    ),
    inputs=_inputs("x", "residual"),
    launch=ops.residual_rms_norm,
    reference=_residual_reference,
    bound=_residual_bound,
    spot=_residual_spot,
    formula="of the sum u |s|; of the norm as RMSNorm's, with the sum's rounding",
    cases=(
        _residual_case(1, 1),
        _residual_case(2, 576),
        _residual_case(3, 1025),
        _residual_case(1, 20000),  # as many waves as a block can have
    ),
)


def _halves(spec: Spec, inputs: SearchStrategy[dict[str, Any]]) -> Spec:
    """The spec of a norm's entry points for fp16 and bfloat16, from that for float32."""
    return replace(
        spec,
        name=f"{spec.name}_halves",
        description=spec.description.replace("float32", "fp16 or bfloat16"),
        inputs=inputs,
        u_out=formats.BF16.unit_roundoff,
        formula=f"{spec.formula}; + u_out |y|",
        cases=tuple(
            {name: value * factor if name == "x" else value for name, value in narrow.items()}
            for dtype in _HALVES
            for narrow in (_narrowed(case, dtype) for case in spec.cases[:2])
            for factor in (1, dtype.type(16))  # squares beyond fp16's largest number
        ),
        examples=15,
        kernels=(f"{spec.name}_f16", f"{spec.name}_bf16"),
    )


def _narrowed(case: Inputs, dtype: np.dtype[Any]) -> dict[str, Any]:
    return {
        name: value.astype(dtype) if isinstance(value, np.ndarray) else value
        for name, value in case.items()
    }


SPECS = (
    RMS_NORM,
    LAYER_NORM,
    RESIDUAL_RMS_NORM,
    _halves(RMS_NORM, _inputs("x", dtypes=_HALVES)),
    _halves(LAYER_NORM, _inputs("x", vectors=("weight", "bias"), dtypes=_HALVES)),
    _halves(RESIDUAL_RMS_NORM, _inputs("x", "residual", dtypes=_HALVES)),
)
