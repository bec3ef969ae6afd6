"""The specs of attention over keys that lie one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, tensors
from hipaudit.library.placing import SHIFTS, placed
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.attention_tiles import product_height, tile_count
from hipaudit_runtime.tensors import Scope

SIZES = (1, 8, 13, 64, 80, 128, 256)
ELEMENTS = st.sampled_from(
    # Beside ordinary values: logits that need the maximum taken off, rows with a NaN.
    [*families.WELL_SCALED, *families.LOGITS[:1], *families.PLANTED[:1]]
)
FORMULA = (
    "ds = |scale| gamma_(h+1) |q||k| + 2 u |s|, rho = ds + u d + eps_exp; sum p |v| (rho + gamma_n "
    "+ 2 u) + (sum p rho + gamma_n + 2 u) sum p |v| + 2 (tiles - 1) (u + eps_exp) |o| + u_out |o|; "
    "Higham, 3.5; Blanchard, Higham and Higham, 2021"
)


@composite
def logits(draw: st.DrawFn, keys: int) -> dict[str, Any]:
    """How logits are made and masked, for launcher and oracle alike."""
    return {
        "scale": draw(st.sampled_from([None, 0.125, float(float32.type(0.1))])),
        "window": draw(st.sampled_from([None, 1, 2, 17, max(keys, 1)])),
        "softcap": draw(st.sampled_from([None, None, 30.0, 1.5])),
    }


@composite
def _inputs(draw: st.DrawFn, dtype: np.dtype[Any]) -> dict[str, Any]:
    batch, key_heads, group = (draw(st.integers(1, most)) for most in (2, 2, 4))
    queries, keys = draw(lengths(1, 40)), draw(lengths(0, 130))
    size, value_size = draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES))
    masks = draw(logits(keys))
    causal = draw(st.booleans()) or masks["window"] is not None
    return {
        "q": draw(tensors(dtype, (batch, key_heads * group, queries, size), ELEMENTS)),
        "k": draw(tensors(dtype, (batch, key_heads, keys, size), ELEMENTS)),
        "v": draw(tensors(dtype, (batch, key_heads, keys, value_size), ELEMENTS)),
        **masks,
        "causal": causal,
        "shifts": (draw(SHIFTS), draw(SHIFTS), draw(SHIFTS)),
    }


def _launch(
    device: Any, q: Array, k: Array, v: Array, shifts: tuple[int, ...] = (0, 0, 0), **how: Any
) -> Array:
    """Attention of operands so many elements behind aligned addresses."""
    with Scope() as scope:
        result = scope.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
        left, right, values = map(placed, (scope,) * 3, (q, k, v), shifts)
        ops.launch_flash_attention(device, left, right, values, result, ops.Logits(**how))
        return result.download()


def _oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name != "shifts"}


def _reference(**inputs: Any) -> Array:
    return ref.attention(**_oracle(inputs))


def case(
    dtype: np.dtype[Any],
    heads: tuple[int, int],
    tokens: tuple[int, int],
    sizes: tuple[int, int],
    **how: Any,
) -> dict[str, Any]:
    """An input with (query, key) heads, (queries, keys) and the sizes of keys and values."""
    generator = np.random.default_rng(sum(tokens) + sum(sizes))

    def normal(*shape: int) -> Array:
        return generator.normal(0.0, 1.5, shape).astype(dtype)

    plain = {"scale": None, "window": None, "softcap": None, "causal": True, "shifts": (0, 0, 0)}
    return {
        "q": normal(1, heads[0], tokens[0], sizes[0]),
        "k": normal(1, heads[1], tokens[1], sizes[0]),
        "v": normal(1, heads[1], tokens[1], sizes[1]),
        **plain,
        **how,
    }


def _huge(dtype: np.dtype[Any]) -> dict[str, Any]:
    """Equal logits of 2^17 squared, as in a report of NaN where a reduction overflowed."""
    value = 133120.0 if dtype != float16 else 60000.0
    like = {name: np.full((1, 1, 40, 64), value, dtype) for name in ("q", "k", "v")}
    plain = {"scale": None, "window": None, "softcap": None, "causal": False}
    return {**like, **plain, "shifts": (0, 0, 0)}


def _nan_beyond(dtype: np.dtype[Any]) -> dict[str, Any]:
    """Keys and values that causality hides are NaN: nothing of them may show."""
    inputs = case(dtype, (2, 1), (3, 20), (16, 16))
    inputs["k"][..., 19, :] = inputs["v"][..., 19, :] = np.nan
    return inputs


_EACH_SHIFTED = ((1, 0, 0), (0, 1, 0), (0, 0, 3))


def _cases(dtype: np.dtype[Any]) -> tuple[dict[str, Any], ...]:
    return (
        case(dtype, (1, 1), (1, 1), (1, 1)),
        case(dtype, (9, 3), (17, 65), (64, 64)),  # SmolLM2-135M's heads
        case(dtype, (4, 1), (33, 97), (64, 64), window=20),
        case(dtype, (2, 2), (5, 3), (64, 64)),  # two queries before the first key
        case(dtype, (4, 2), (20, 40), (256, 256), causal=False, softcap=10.0),
        case(dtype, (2, 1), (3, 0), (64, 64)),
        case(dtype, (2, 1), (5, 20), (13, 7)),  # sizes that are no multiple of a vector
        *(case(dtype, (2, 1), (5, 20), (64, 64), shifts=s) for s in _EACH_SHIFTED),
        _huge(dtype),
        _nan_beyond(dtype),
    )


def _spec(dtype: np.dtype[Any], short: str, out: formats.Format) -> Spec:
    def bound(**inputs: Any) -> Array:
        size, (_, _, keys, value_size) = inputs["q"].shape[-1], inputs["v"].shape
        tiles = max(tile_count(keys, size, value_size), 1)
        return bounds.attention(
            **_oracle(inputs), tiles=tiles, products=product_height(size), out=out
        )

    def spot(index: tuple[int, ...], **inputs: Any) -> Any:
        return exact.attention(**_oracle(inputs), at=index)

    name = f"flash_attention_{short}"
    return Spec(
        name=name,
        source="flash_attention.hip",
        description=(
            f"Attention of {dtype.name} heads by an online softmax: causal or not, grouped heads, "
            "sliding window, soft cap. A query without keys gives 0."
        ),
        inputs=_inputs(dtype),
        launch=_launch,
        reference=_reference,
        bound=bound,
        u_out=out.unit_roundoff,
        spot=spot,
        formula=FORMULA,
        cases=_cases(dtype),
        examples=20,
    )


SPECS = (
    _spec(float32, "f32", formats.FP32),
    _spec(float16, "f16", formats.FP16),
    _spec(bfloat16, "bf16", formats.BF16),
)
