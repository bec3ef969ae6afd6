"""The specs of the matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.inputs import factors, float32, lengths
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops

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

SPECS = (GEMM_F32_TILED,)
