"""The spec of rotary position embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, tensors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops

_ELEMENTS = st.sampled_from([*families.WELL_SCALED, *families.PLANTED[:1]])
_STORED = st.sampled_from([float32, float32, float16, bfloat16])
_LAST_POSITIONS = (0, 1, 511, 512, 2048, 131071, 1 << 20)


@composite
def _inputs(draw: st.DrawFn) -> dict[str, Any]:
    tokens, heads = draw(lengths(1, 32)), draw(lengths(1, 9))
    size = draw(st.sampled_from([2, 3, 64, 80, 128]))
    rotated = draw(st.sampled_from([None, 0, 2 * (size // 4), 2 * (size // 2)]))
    last = draw(st.sampled_from(_LAST_POSITIONS))
    seed = draw(st.integers(0, 2**32 - 1))
    return {
        "x": draw(tensors(draw(_STORED), (tokens, heads, size), _ELEMENTS)),
        "positions": np.random.default_rng(seed).integers(0, last + 1, tokens, dtype=np.int32),
        "base": draw(st.sampled_from([10000.0, 500000.0, 100000.0])),
        "rotated": rotated if rotated is not None or size % 2 == 0 else size - 1,
        "interleaved": draw(st.booleans()),
    }


def _oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The oracle's arguments from the launcher's."""
    others = {name: value for name, value in inputs.items() if name != "interleaved"}
    return {**others, "pairing": "interleaved" if inputs["interleaved"] else "half"}


def _reference(**inputs: Any) -> Array:
    return ref.rope(**_oracle(inputs))


def _bound(**inputs: Any) -> Array:
    out = formats.format_of(inputs["x"])
    return bounds.rope(**_oracle(inputs), frequencies="table", out=out)


def _spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.rope(**_oracle(inputs), at=index)


def _case(position: int, dtype: np.dtype[Any] = float32, *, interleaved: bool) -> dict[str, Any]:
    return {
        "x": np.ones((1, 2, 64), dtype=dtype),
        "positions": np.array([position], dtype=np.int32),
        "base": 10000.0,
        "rotated": 64,
        "interleaved": interleaved,
    }


ROPE = Spec(
    name="rope",
    source="rope.hip",
    description=(
        "Rotary position embedding of float32, fp16 or bfloat16 heads, halves or neighbours "
        "paired, at int32 positions; the frequencies are a table rounded from float64."
    ),
    inputs=_inputs(),
    launch=ops.rope,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    u_out=2.0**-8,
    formula="(|x0| + |x1|) (2 |theta| u + eps_sincos + 2 u) + u_out |y|: linear in the position",
    cases=(
        *(
            _case(position, interleaved=pairing)
            for position in (0, 1, 513, 131071)
            for pairing in (False, True)
        ),
        *(_case(513, dtype, interleaved=False) for dtype in (float16, bfloat16)),
    ),
    kernels=("rope", "rope_f16", "rope_bf16"),
)

SPECS = (ROPE,)
