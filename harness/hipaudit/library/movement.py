"""The specs of kernels that move elements: exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.inputs import anything, float32, lengths, matrices, tensors
from hipaudit.spec import Array, Spec
from hipaudit_runtime import ops


@st.composite
def _lookups(draw: st.DrawFn) -> dict[str, Any]:
    rows = draw(lengths(1, 500))
    seed = draw(st.integers(0, 2**32 - 1))
    count = draw(lengths(1, 64))
    return {
        "table": draw(tensors(float32, (rows, lengths(1, 700)), anything())),
        "indices": np.random.default_rng(seed).integers(0, rows, count, dtype=np.int32),
    }


def _numbered(m: int, n: int) -> Array:
    return np.arange(m * n, dtype=float32).reshape(m, n)


EMBEDDING = Spec(
    name="embedding",
    source="embedding.hip",
    description="Rows of a float32 table, picked by int32 index.",
    inputs=_lookups(),
    launch=ops.embedding,
    reference=ref.embedding,
    exact=True,
    formula="bit exact: elements are copied",
    cases=(
        {"table": _numbered(5, 300), "indices": np.array([4, 0, 0, 3], np.int32)},
        {"table": _numbered(1, 1), "indices": np.zeros(1, np.int32)},
    ),
)

TRANSPOSE = Spec(
    name="transpose",
    source="transpose.hip",
    description="Transpose of a row-major float32 matrix.",
    inputs=st.fixed_dictionaries(
        {"x": matrices(float32, rows=lengths(1, 200), columns=lengths(1, 200), elements=anything())}
    ),
    launch=ops.transpose,
    reference=ref.transpose,
    exact=True,
    formula="bit exact: elements are copied",
    cases=tuple({"x": _numbered(m, n)} for m, n in ((1, 1), (32, 32), (33, 31), (1, 100), (65, 7))),
)

SPECS = (EMBEDDING, TRANSPOSE)
