"""The specs of functions of single elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import hipaudit_reference as ref
from hipaudit.drawing import composite
from hipaudit.errors import UsageError
from hipaudit.families import Family
from hipaudit.inputs import anything, bfloat16, extremes, float16, float32, lengths, vectors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops

_MOST = 5000

# Round every threshold of the functions: saturation, overflow of exp, the sign of tanh's and
# erfc's argument, signed zeros, subnormals.
_SIZES = (0.0, 1e-45, 1.2e-38, 1.0, 9.0, 14.5, 88.0, 88.8, 104.0, 200.0, 1e10, 3.4e38, np.inf)
_LANDMARKS = np.array([*_SIZES, *(-size for size in _SIZES), np.nan], dtype=float32)


def _at(function: Callable[..., Any]) -> Callable[..., Any]:
    """An exact function as a spec's spot check."""

    def spot(index: tuple[int, ...], **inputs: Any) -> Any:
        return function(**inputs, at=index)

    return spot


@composite
def _pairs(
    draw: st.DrawFn, first: str, second: str, others: SearchStrategy[Family]
) -> dict[str, Array]:
    """Two vectors of one length; *others* are the families of the second."""
    count = draw(lengths(1, _MOST))
    one = draw(vectors(float32, count, elements=anything()))
    return {first: one, second: draw(vectors(float32, count, elements=others))}


def _unary(name: str, formula: str, source: str = "", **bound_options: Any) -> Spec:
    """The spec of a function of one array, of the same name in ops and in the oracle."""
    launch: Callable[..., Array] = getattr(ops, name)
    reference: Callable[..., Array] = getattr(ref, name)
    return Spec(
        name=name,
        source=source or f"{name}.hip",
        description=f"{name} of each element of a float32 array; -inf gives NaN.",
        inputs=st.fixed_dictionaries({"x": vectors(float32, lengths(1, _MOST), anything())}),
        launch=launch,
        reference=reference,
        bound=partial(getattr(bounds, name), **bound_options),
        spot=_at(getattr(exact, name)),
        formula=formula,
        cases=({"x": _LANDMARKS}, {"x": np.linspace(-20, 20, 4099, dtype=float32)}),
    )


SILU = _unary("silu", "|y| ((u |x| + eps_exp) (1 - sigma) + 3 u); 0 where exp(-x) overflows")
GELU = _unary("gelu", "|y| (eps_erfc + 2 u) + |x| u |z| erf'(z), z = x / sqrt 2", complement=True)
GELU_TANH = _unary(
    "gelu_tanh",
    "|x| / 2 (dt / cosh^2 t + eps_tanh |tanh t| + u |1 + tanh t|) + 2 u |y|",
    source="gelu.hip",
)

SWIGLU = Spec(
    name="swiglu",
    source="swiglu.hip",
    description="silu(gate) * up of two float32 arrays: the gated unit without its projections.",
    inputs=_pairs("gate", "up", extremes()),
    launch=ops.swiglu,
    reference=ref.swiglu,
    bound=bounds.swiglu,
    spot=_at(exact.swiglu),
    formula="|y| ((u |gate| + eps_exp) (1 - sigma) + 4 u)",
    cases=({"gate": _LANDMARKS, "up": np.linspace(-3, 3, len(_LANDMARKS), dtype=float32)},),
)

ADD = Spec(
    name="add",
    source="add.hip",
    description="Sum of two float32 arrays.",
    inputs=_pairs("a", "b", anything()),
    launch=ops.add,
    reference=ref.add,
    bound=bounds.add,
    spot=_at(exact.add),
    formula="u |y|",
    cases=({"a": _LANDMARKS, "b": _LANDMARKS[::-1].copy()},),
)

SCALE = Spec(
    name="scale",
    source="scale.hip",
    description="Product of a float32 array with a number.",
    inputs=st.fixed_dictionaries(
        {
            "x": vectors(float32, lengths(1, _MOST), anything()),
            "factor": st.sampled_from([0.125, -1.0, float(float32.type(0.1)), 3.0]),
        }
    ),
    launch=ops.scale,
    reference=ref.scale,
    bound=bounds.scale,
    spot=_at(exact.scale),
    formula="u |y|, nothing for a power of two",
    cases=({"x": _LANDMARKS, "factor": 0.5},),
)


def _halves(spec: Spec, draw: SearchStrategy[dict[str, Any]], *cases: dict[str, Any]) -> Spec:
    """The spec of a kernel's entry points for fp16 and bfloat16, from that for float32."""
    whole = spec.bound
    if whole is None:
        raise UsageError(f"{spec.name} has no bound to round further")

    def bound(**inputs: Any) -> Array:
        first = next(value for value in inputs.values() if isinstance(value, np.ndarray))
        return np.asarray(whole(**inputs, out=formats.format_of(first)))

    return replace(
        spec,
        name=f"{spec.name}_halves",
        description=spec.description.replace("float32", "fp16 or bfloat16"),
        inputs=draw,
        bound=bound,
        u_out=formats.BF16.unit_roundoff,
        formula=f"{spec.formula}; + u_out |y|",
        cases=tuple(
            {name: _narrowed(value, dtype) for name, value in case.items()}
            for dtype in (float16, bfloat16)
            for case in (*spec.cases, *cases)
        ),
        examples=20,
        kernels=(f"{spec.name}_f16", f"{spec.name}_bf16"),
    )


def _narrowed(value: Any, dtype: np.dtype[Any]) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        return value.astype(dtype) if isinstance(value, np.ndarray) else value


@composite
def _half_vectors(
    draw: st.DrawFn, first: str, second: str = "", others: SearchStrategy[Family] | None = None
) -> dict[str, Array]:
    """One or two vectors of one 16-bit format and length."""
    dtype, count = draw(st.sampled_from([float16, bfloat16])), draw(lengths(1, _MOST))
    drawn = {first: draw(vectors(dtype, count, elements=anything()))}
    if second:
        drawn[second] = draw(vectors(dtype, count, elements=others))
    return drawn


_HALF_SPECS = (
    *(_halves(spec, _half_vectors("x")) for spec in (SILU, GELU, GELU_TANH)),
    _halves(SWIGLU, _half_vectors("gate", "up", extremes())),
    _halves(ADD, _half_vectors("a", "b", anything())),
    _halves(
        SCALE,
        st.builds(
            lambda drawn, factor: {**drawn, "factor": factor},
            _half_vectors("x"),
            st.sampled_from([0.125, -1.0, float(float32.type(0.1)), 3.0]),
        ),
    ),
)

SPECS = (ADD, SCALE, SILU, SWIGLU, GELU, GELU_TANH, *_HALF_SPECS)
