"""The specs of kernels that move elements: exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.inputs import anything, bfloat16, float16, float32, lengths, matrices, tensors
from hipaudit.spec import Array, DeviceLike, Spec
from hipaudit_runtime import ops
from hipaudit_runtime.tensors import Scope


@st.composite
def _lookups(draw: st.DrawFn) -> dict[str, Any]:
    rows = draw(lengths(1, 500))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    beyond = draw(st.sampled_from((0, 1, rows)))  # how far indices leave the table, either way
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(lengths(1, 64))
    return {
        "table": draw(tensors(dtype, (rows, lengths(1, 700)), anything())),
        "indices": generator.integers(-beyond, rows + beyond, count, dtype=np.int32),
    }


def _embed(device: DeviceLike, table: Array, indices: Array) -> Array:
    """Look up without the host's check of the indices: the kernel has a policy of its own."""
    with Scope() as scope:
        result = scope.empty((*indices.shape, table.shape[1]), float32)
        ops.launch_embedding(device, scope.upload(table), scope.upload(indices), result)
        return result.download()


def _embedded(table: Array, indices: Array) -> Array:
    inside = (indices >= 0) & (indices < len(table))
    rows = ref.embedding(table, np.where(inside, indices, 0))
    return np.where(inside[..., np.newaxis], rows, np.nan)


def _numbered(m: int, n: int) -> Array:
    return np.arange(m * n, dtype=float32).reshape(m, n)


EMBEDDING = Spec(
    name="embedding",
    source="embedding.hip",
    description=(
        "Rows of a table of float32, fp16 or bfloat16 in float32, picked by int32 index; an index "
        "outside the table gives NaN."
    ),
    inputs=_lookups(),
    launch=_embed,
    reference=_embedded,
    exact=True,
    formula="bit exact: elements are copied",
    cases=(
        {"table": _numbered(5, 300), "indices": np.array([4, 0, 0, 3], np.int32)},
        {"table": _numbered(1, 1), "indices": np.zeros(1, np.int32)},
        {
            "table": _numbered(5, 3),
            "indices": np.array([-1, 0, 4, 5, 2**31 - 1, -(2**31)], np.int32),
        },
        {"table": _numbered(7, 9).astype(float16), "indices": np.array([6, 0], np.int32)},
        {"table": _numbered(7, 9).astype(bfloat16), "indices": np.array([6, 0], np.int32)},
    ),
    kernels=("embedding", "embedding_f16", "embedding_bf16"),
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
