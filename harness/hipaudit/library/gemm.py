"""The specs of the matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.inputs import bfloat16, factors, float16, float32, lengths, tensors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops
from hipaudit_runtime.ops.gemv import gemv_height

_ELEMENTS = st.sampled_from([*families.WELL_SCALED, *families.PLANTED[:2]])
_EDGE = 200  # three tiles of 64 and a rest


def _bound(a: Array, b: Array) -> Array:
    return bounds.gemm(a, b)


def _spot(index: tuple[int, ...], a: Array, b: Array) -> Any:
    return exact.gemm(a, b, at=index)


def _case(m: int, n: int, k: int) -> dict[str, Any]:
    generator = np.random.default_rng(m * n + k)
    return {
        "a": generator.uniform(-1, 1, (m, k)).astype(float32),
        "b": generator.uniform(-1, 1, (k, n)).astype(float32),
    }


GEMM_F32_TILED = Spec(
    name="gemm_f32_tiled",
    source="gemm_f32_tiled.hip",
    description="Product of two row-major float32 matrices of any shape, in tiles of 64 x 64.",
    inputs=factors(
        float32, m=lengths(1, _EDGE), n=lengths(1, _EDGE), k=lengths(1, 300), elements=_ELEMENTS
    ),
    launch=ops.gemm_f32,
    reference=ref.gemm,
    bound=_bound,
    spot=_spot,
    formula="gamma_k |A||B|, one serial sum an element; Higham, 3.5",
    cases=(
        _case(1, 1, 1),
        _case(64, 64, 16),
        _case(65, 63, 17),
        _case(63, 65, 15),
        _case(128, 4, 250),  # n % 64 = 4: a tail that must be written
        _case(3, 5, 0),
        _case(1, 1000, 2048),
        _case(1000, 1, 33),
    ),
)


@st.composite
def _weighted(draw: st.DrawFn) -> dict[str, Array]:
    m, vectors = draw(lengths(1, 100)), draw(st.integers(1, 3))
    k = draw(st.one_of(lengths(1, 1100), st.integers(1, 130).map(lambda eighth: 8 * eighth)))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    return {
        "a": draw(tensors(dtype, (m, k), _ELEMENTS)),
        "x": draw(tensors(float32, (vectors, k), _ELEMENTS)),
    }


def _gemv_reference(a: Array, x: Array) -> Array:
    return ref.gemm(x, np.asarray(a, np.float64).T)


def _gemv_bound(a: Array, x: Array) -> Array:
    return bounds.gemm(x, np.asarray(a, np.float64).T, height=gemv_height(x.shape[-1]))


def _gemv_spot(index: tuple[int, ...], a: Array, x: Array) -> Any:
    return exact.gemv(a, x[index[0]], at=(index[1],))


def _gemv_case(m: int, k: int, dtype: np.dtype[Any]) -> dict[str, Array]:
    case = _case(m, 2, k)
    return {"a": case["a"].astype(dtype), "x": case["b"].T.copy()}


GEMV = Spec(
    name="gemv",
    source="gemv.hip",
    description=(
        "Product of a row-major matrix of float32, fp16 or bfloat16 with one float32 vector or a "
        "few, in float32."
    ),
    inputs=_weighted(),
    launch=ops.gemv,
    reference=_gemv_reference,
    bound=_gemv_bound,
    spot=_gemv_spot,
    formula="gamma_(h+1) |A||x|, h = ceil(k / 128) + 18; Higham, 3.5 and 4.2",
    cases=(
        _gemv_case(1, 1, float32),
        _gemv_case(576, 576, float16),  # SmolLM2-135M's width
        _gemv_case(17, 264, bfloat16),
        _gemv_case(5, 129, bfloat16),
        _gemv_case(16, 4096, float32),
        _gemv_case(3, 0, float16),
        _gemv_case(33, 1537, float16),  # rows at odd addresses
    ),
    kernels=("gemv_f32", "gemv_f16", "gemv_bf16"),
)

SPECS = (GEMM_F32_TILED, GEMV)
