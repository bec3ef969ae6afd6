"""The specs of conversions between stored formats: exact, for every code where there are few."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.drawing import composite
from hipaudit.inputs import anything, bfloat16, float16, float32, lengths, vectors
from hipaudit.spec import Array, Spec
from hipaudit_reference import formats
from hipaudit_runtime import ops

_MOST = 5000
_HALVES = np.arange(1 << 16, dtype=np.uint16)
_WIDE = {"f32": float32, "f16": float16, "bf16": bfloat16}


def _converted(x: Array, to: str, *, saturate: bool = False) -> Array:
    overflow: formats.Overflow = "saturate" if saturate else "ieee"
    return ref.convert(x, formats.ALL_FORMATS[to], overflow=overflow)


@composite
def _conversions(draw: st.DrawFn, one: np.dtype[Any], other: np.dtype[Any]) -> dict[str, Any]:
    """A vector of one format on the way to the other."""
    source, target = draw(st.permutations([one, other]))
    return {"x": draw(vectors(source, lengths(1, _MOST), anything())), "to": target.name}


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
        inputs=_conversions(float32, narrow),
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

CONVERT_HALVES = Spec(
    name="convert_halves",
    source="convert.hip",
    description="Conversion between float16 and bfloat16, both ways.",
    inputs=_conversions(float16, bfloat16),
    launch=ops.convert,
    reference=_converted,
    exact=True,
    formula="bit exact: rounded once to nearest, ties to even",
    cases=(
        {"x": _all(float16), "to": bfloat16.name},
        {"x": _all(bfloat16), "to": float16.name},
    ),
    examples=10,
    kernels=("convert_f16_bf16", "convert_bf16_f16"),
)


@composite
def _to_8_bits(draw: st.DrawFn, narrow: np.dtype[Any]) -> dict[str, Any]:
    source = draw(st.sampled_from(list(_WIDE.values())))
    return {
        "x": draw(vectors(source, lengths(1, _MOST), anything())),
        "to": narrow.name,
        "saturate": draw(st.booleans()),
    }


def _edges(narrow: np.dtype[Any]) -> Array:
    """Every value of an 8-bit format, the middles between neighbours, and those moved by an ULP.

    And the middle to what would come after the largest one.
    """
    codes = np.arange(256, dtype=np.uint8).view(narrow).astype(float32)
    finite = np.unique(codes[np.isfinite(codes)])
    middles = (finite[1:] + finite[:-1]) / 2
    step = finite[-1] - finite[-2]
    ends = np.array([finite[-1] + step / 2, finite[-1] + step], float32)
    around = np.concatenate([middles, ends, -ends])
    moved = (np.nextafter(around, float32.type(end)) for end in (-np.inf, np.inf))
    return np.concatenate([codes, around, *moved, [np.inf, -np.inf, 3.4e38, -3.4e38]]).astype(
        float32
    )


def _conversion_8_bits(short: str) -> Spec:
    narrow = np.dtype(getattr(ml_dtypes, f"float8_{short}"))
    codes = np.arange(256, dtype=np.uint8).view(narrow)
    return Spec(
        name=f"convert_{short}",
        source="convert_fp8.hip",
        description=(
            f"Conversion between {narrow.name} and float32, fp16 and bfloat16, both ways, "
            "saturating or not."
        ),
        inputs=_to_8_bits(narrow),
        launch=ops.convert,
        reference=_converted,
        exact=True,
        formula="bit exact: rounded once to nearest, ties to even",
        cases=(
            *({"x": codes, "to": wide.name} for wide in _WIDE.values()),
            *({"x": _edges(narrow), "to": narrow.name, "saturate": on} for on in (False, True)),
            *({"x": _all(half), "to": narrow.name} for half in (float16, bfloat16)),
        ),
        examples=20,
        kernels=(
            *(f"convert_{wide}_{short}" for wide in _WIDE),
            *(f"convert_{short}_{wide}" for wide in _WIDE),
        ),
    )


SPECS = (
    CONVERT_F16,
    CONVERT_BF16,
    CONVERT_HALVES,
    *(_conversion_8_bits(short) for short in ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz")),
)
