"""The specs of kernels that move elements: exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.drawing import composite
from hipaudit.inputs import anything, bfloat16, float16, float32, lengths, tensors
from hipaudit.spec import Array, DeviceLike, Spec
from hipaudit_runtime import ops
from hipaudit_runtime.tensors import Scope


@composite
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


@composite
def _matrices(draw: st.DrawFn) -> dict[str, Any]:
    batch = draw(st.sampled_from([(), (), (3,), (2, 2)]))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    return {"x": draw(tensors(dtype, (*batch, lengths(1, 200), lengths(1, 200)), anything()))}


TRANSPOSE = Spec(
    name="transpose",
    source="transpose.hip",
    description="Transpose of row-major matrices of 32-bit or 16-bit elements.",
    inputs=_matrices(),
    launch=ops.transpose,
    reference=ref.transpose,
    exact=True,
    formula="bit exact: elements are copied",
    cases=(
        *({"x": _numbered(m, n)} for m, n in ((1, 1), (32, 32), (33, 31), (1, 100), (65, 7))),
        {"x": _numbered(65, 34).reshape(2, 13, 85).astype(float16)},
    ),
    kernels=("transpose", "transpose_16"),
)


@composite
def _views(draw: st.DrawFn) -> dict[str, Any]:
    """A view of some elements: its strides are drawn, the elements are as many as it needs."""
    shape = tuple(draw(st.lists(lengths(1, 12), min_size=1, max_size=4)))
    strides = tuple(draw(st.integers(-20, 20)) for _ in shape)
    spans = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    first = -sum(min(span, 0) for span in spans) + draw(st.integers(0, 3))
    count = first + sum(max(span, 0) for span in spans) + 1 + draw(st.integers(0, 3))
    dtype = draw(st.sampled_from([float32, float16, bfloat16, np.dtype(np.uint8)]))
    elements = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(0, 200, count)
    return {"x": elements.astype(dtype), "shape": shape, "strides": strides, "first": first}


def _viewed(x: Array, shape: tuple[int, ...], strides: tuple[int, ...], first: int) -> Array:
    steps = tuple(stride * x.itemsize for stride in strides)
    view = np.lib.stride_tricks.as_strided(x[first:], shape, steps)
    return np.array(view) if x.dtype == np.uint8 else view.astype(np.float64)


def _permuted(*axes: int) -> dict[str, Any]:
    """Ten heads of twelve tokens, their axes in another order."""
    x = np.arange(10 * 12 * 7, dtype=float32)
    view = x.reshape(10, 12, 7).transpose(axes)
    return {
        "x": x,
        "shape": view.shape,
        "strides": tuple(step // x.itemsize for step in view.strides),
        "first": 0,
    }


COPY_STRIDED = Spec(
    name="copy_strided",
    source="copy_strided.hip",
    description="A strided view of up to 4 axes, of elements of 8, 16 or 32 bits, made contiguous.",
    inputs=_views(),
    launch=ops.copy_strided,
    reference=_viewed,
    exact=True,
    formula="bit exact: elements are copied",
    cases=(
        _permuted(1, 0, 2),
        _permuted(2, 1, 0),
        {"x": np.arange(9, dtype=float16), "shape": (3,), "strides": (-4,), "first": 8},
        {"x": np.arange(9, dtype=np.uint8), "shape": (2, 5, 3), "strides": (0, 1, 2), "first": 0},
    ),
    kernels=("copy_strided_8", "copy_strided_16", "copy_strided_32"),
)

SPECS = (EMBEDDING, TRANSPOSE, COPY_STRIDED)
