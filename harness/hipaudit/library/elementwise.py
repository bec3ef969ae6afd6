"""The specs of functions of single elements."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import hipaudit_reference as ref
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


@st.composite
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

_FORMATS = {"float32": formats.FP32, "float16": formats.FP16, "bfloat16": formats.BF16}
_HALVES = np.arange(1 << 16, dtype=np.uint16)


def _converted(x: Array, to: str) -> Array:
    return ref.convert(x, _FORMATS[to])


@st.composite
def _conversions(draw: st.DrawFn, narrow: np.dtype[Any]) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"x": draw(vectors(float32, lengths(1, _MOST), anything())), "to": narrow.name}
    return {"x": draw(vectors(narrow, lengths(1, _MOST), anything())), "to": "float32"}


def _all(narrow: np.dtype[Any]) -> Array:
    """Every value of a 16-bit format, the NaNs as one.

    A NaN of all bits set, which a conversion may well make of another, looks like memory that
    nobody wrote.
    """
    values = _HALVES.view(narrow)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return np.where(np.isnan(values), narrow.type(np.nan), values)


def _halfway(narrow: np.dtype[Any]) -> Array:
    """Every value of a 16-bit format, the middle to the next one, and that moved by one ULP."""
    values = _all(narrow)
    with np.errstate(invalid="ignore", over="ignore"):
        above = np.nextafter(values, narrow.type(np.inf)).astype(float32)
        middles = (values.astype(float32) + above) / 2
    moved = (np.nextafter(middles, float32.type(end)) for end in (0, np.inf))
    return np.concatenate([values.astype(float32), middles, *moved])


def _conversion(narrow: np.dtype[Any], short: str) -> Spec:
    return Spec(
        name=f"convert_{short}",
        source="convert.hip",
        description=f"Conversion between float32 and {narrow.name}, both ways.",
        inputs=_conversions(narrow),
        launch=ops.convert,
        reference=_converted,
        exact=True,
        formula="bit exact: rounded once to nearest, ties to even",
        cases=(
            {"x": _all(narrow), "to": "float32"},
            {"x": _halfway(narrow), "to": narrow.name},
        ),
        kernels=(f"convert_f32_{short}", f"convert_{short}_f32"),
    )


CONVERT_F16 = _conversion(float16, "f16")
CONVERT_BF16 = _conversion(bfloat16, "bf16")

SPECS = (ADD, SCALE, SILU, SWIGLU, GELU, GELU_TANH, CONVERT_F16, CONVERT_BF16)
