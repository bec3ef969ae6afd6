"""The specs of products of groups of rows, each with a matrix of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, tensors
from hipaudit.library.quantised import KINDS, Kind, finite_blocks
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, summation
from hipaudit_runtime import ops
from hipaudit_runtime.ops.grouped import grouped_height
from hipaudit_runtime.ops.quantised import product_height

_FINITE = st.sampled_from([*families.WELL_SCALED, families.PLANTED[0]])
_SIZES = st.lists(st.sampled_from((0, 1, 3, 4, 5, 15, 16, 17, 40)), min_size=1, max_size=6)
_LARGE = st.lists(st.sampled_from((9, 15, 16, 17, 40)), min_size=1, max_size=6)
_SMALL = st.lists(st.sampled_from((0, 1, 2, 5, 8)), min_size=1, max_size=6)


def _offsets(sizes: list[int]) -> npt.NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


@composite
def _by_tiles(draw: st.DrawFn) -> dict[str, Any]:
    transposed = draw(st.booleans())
    return _drawn(draw, draw(_LARGE if transposed else _SIZES), transposed=transposed)


@composite
def _by_vectors(draw: st.DrawFn) -> dict[str, Any]:
    return _drawn(draw, draw(_SMALL), transposed=True)


def _drawn(draw: st.DrawFn, sizes: list[int], *, transposed: bool) -> dict[str, Any]:
    n, k = draw(lengths(1, 100)), draw(lengths(1, 300))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    matrix = (n, k) if transposed else (k, n)
    return {
        "x": draw(tensors(float32, (sum(sizes), k), _FINITE)),
        "weights": draw(tensors(dtype, (len(sizes), *matrix), _FINITE)),
        "offsets": _offsets(sizes),
        "transposed": transposed,
    }


def _case(
    sizes: list[int], n: int, k: int, dtype: Any = float32, *, transposed: bool = False
) -> dict[str, Any]:
    generator = np.random.default_rng(n)
    matrix = (n, k) if transposed else (k, n)
    return {
        "x": generator.uniform(-1, 1, (sum(sizes), k)).astype(float32),
        "weights": generator.uniform(-1, 1, (len(sizes), *matrix)).astype(dtype),
        "offsets": _offsets(sizes),
        "transposed": transposed,
    }


def _turned(weights: Array, transposed: bool) -> Array:
    return np.swapaxes(weights, 1, 2) if transposed else weights


def _multiply(
    device: Any, x: Array, weights: Array, offsets: Array, transposed: bool = False
) -> Array:
    return ops.grouped_gemm(device, x, weights, offsets, transposed=transposed)


def _reference(x: Array, weights: Array, offsets: Array, transposed: bool = False) -> Array:
    return ref.grouped_gemm(x, _turned(weights, transposed), offsets)


def _bound(x: Array, weights: Array, offsets: Array, transposed: bool = False) -> Array:
    rows, k = x.shape
    height = summation.Tree(grouped_height(rows, len(weights), k, transposed=transposed))
    return bounds.grouped_gemm(x, _turned(weights, transposed), offsets, height=height)


def _spot(
    index: tuple[int, ...], x: Array, weights: Array, offsets: Array, transposed: bool = False
) -> Any:
    return exact.grouped_gemm(x, _turned(weights, transposed), offsets, at=index)


GROUPED_GEMM = Spec(
    name="grouped_gemm",
    source="grouped_gemm.hip",
    description=(
        "Groups of rows, each times a matrix of its own in float32, fp16 or bfloat16, stored by "
        "rows or by columns, in tiles of 16 x 64."
    ),
    inputs=_by_tiles(),
    launch=_multiply,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula="gamma_k |x||w|, one serial sum an element; Higham, 3.5",
    cases=(
        _case([1], 1, 1),
        _case([0, 17, 0, 16, 1, 0], 65, 33),
        _case([3] * 40, 5, 4),
        _case([15] * 20, 3, 2),  # tiles but for one row: one tile each, and no more
        _case([4, 5], 64, 0),
        _case([17] * 3, 64, 5),  # whole tiles across, and as many tiles down as there can be
        _case([40, 0, 33], 65, 33, bfloat16, transposed=True),
        _case([0, 17, 1], 65, 33, float16),
        *(_case([9], 70, 20, dtype, transposed=True) for dtype in (float32, float16)),
        _case([9], 70, 20, bfloat16),
    ),
    examples=20,
    kernels=("grouped_gemm", "grouped_gemm_f16", "grouped_gemm_bf16"),
)

GROUPED_GEMV = replace(
    GROUPED_GEMM,
    name="grouped_gemv",
    source="gemv.hip",
    description=(
        "Small groups of rows, each times the transpose of a matrix of its own in float32, fp16 or "
        "bfloat16, a row at a time."
    ),
    inputs=_by_vectors(),
    formula="gamma_(h+1) |x||w|, h = ceil(k / 128) + 18; Higham, 3.5 and 4.2",
    cases=(
        _case([1], 1, 1, transposed=True),
        _case([4, 5], 64, 0, transposed=True),
        _case([0, 2, 0, 1], 65, 264, bfloat16, transposed=True),
        *(_case([2, 3], 70, 20, dtype, transposed=True) for dtype in (float32, float16)),
        _case([8, 8, 0], 17, 130, float16, transposed=True),  # as many rows as by vectors
    ),
    kernels=("grouped_gemv_f32", "grouped_gemv_f16", "grouped_gemv_bf16"),
)


@composite
def _blocks(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    few = 9 if kind.block.elements == 32 else 2
    sizes, rows, row_blocks = draw(_SIZES), draw(lengths(1, 70)), draw(lengths(1, few))
    columns = row_blocks * kind.block.elements
    return {
        "kind": kind.name,
        "blocks": _experts(kind, draw(st.integers(0, 2**32 - 1)), len(sizes), rows, row_blocks),
        "x": draw(tensors(float32, (sum(sizes), columns), _FINITE)),
        "offsets": _offsets(sizes),
    }


def _experts(kind: Kind, seed: int, groups: int, rows: int, row_blocks: int) -> Array:
    return finite_blocks(kind, seed, groups * rows, row_blocks).reshape(groups, rows, -1)


def _blocks_case(kind: Kind, sizes: list[int], rows: int, row_blocks: int) -> dict[str, Any]:
    shape = (sum(sizes), row_blocks * kind.block.elements)
    return {
        "kind": kind.name,
        "blocks": _experts(kind, rows, len(sizes), rows, row_blocks),
        "x": np.random.default_rng(rows).uniform(-1, 1, shape).astype(float32),
        "offsets": _offsets(sizes),
    }


def _quantised(device: Any, kind: str, blocks: Array, x: Array, offsets: Array) -> Array:
    return ops.quantised_grouped_gemm(device, kind, blocks, x, offsets)


def _matrices(kind: str, blocks: Array) -> Array:
    """The float32 matrices, transposed: (groups, columns, rows)."""
    values = ref.dequantise(blocks, kind).reshape(*blocks.shape[:2], -1)
    return np.swapaxes(values, 1, 2)


def _quantised_reference(kind: str, blocks: Array, x: Array, offsets: Array) -> Array:
    return ref.grouped_gemm(x, _matrices(kind, blocks), offsets)


def _quantised_bound(kind: str, blocks: Array, x: Array, offsets: Array) -> Array:
    """Of each group as of a product alone: a weight may round when it is decoded."""
    height = summation.Tree(product_height(x.shape[1]))
    parts = [
        bounds.quantised_gemm(matrix, kind, x[first:end], height=height)
        for matrix, first, end in zip(blocks, offsets[:-1], offsets[1:], strict=True)
    ]
    return np.concatenate(parts)


def _quantised_spot(
    index: tuple[int, ...], kind: str, blocks: Array, x: Array, offsets: Array
) -> Any:
    return exact.grouped_gemm(x, _matrices(kind, blocks), offsets, at=index)


QUANTISED_GROUPED_GEMM = Spec(
    name="quantised_grouped_gemm",
    source="quantised_grouped_gemm.hip",
    description=(
        "Groups of rows, each times the transpose of a quantised matrix of its own, float32 "
        "accumulation."
    ),
    inputs=_blocks(),
    launch=_quantised,
    reference=_quantised_reference,
    bound=_quantised_bound,
    spot=_quantised_spot,
    formula="gamma_{h+1} |x||w|, h = 4 ceil(k / 32 / lanes) + 2 + lanes; Higham, 3.5",
    cases=(
        *(_blocks_case(kind, [0, 1, 0, 4, 2, 5], 33, 2) for kind in KINDS),
        _blocks_case(KINDS[0], [1], 1, 1),
        _blocks_case(KINDS[0], [3] * 30, 300, 1),
    ),
    examples=20,
    kernels=tuple(f"quantised_grouped_gemm_{kind.block.name}" for kind in KINDS),
)

SPECS = (GROUPED_GEMM, GROUPED_GEMV, QUANTISED_GROUPED_GEMM)
