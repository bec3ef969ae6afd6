"""The specs of the matrix products."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, factors, float16, float32, lengths, tensors
from hipaudit.library.placing import SHIFTS, placed
from hipaudit.spec import Array, Spec, Sums
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.gemv import gemv_height
from hipaudit_runtime.tensors import Scope

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


def _sums(device: Any, terms: Array) -> Array:
    return ops.gemm_f32(device, terms, np.ones((terms.shape[1], 1), float32))[:, 0]


def _height(terms: int) -> int:
    return terms  # a fused product with zero, then an addition a term


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
    sums=Sums(_sums, _height),
)


@composite
def _weighted(draw: st.DrawFn) -> dict[str, Any]:
    m, vectors = draw(lengths(1, 100)), draw(st.integers(1, 3))
    k = draw(st.one_of(lengths(1, 1100), st.integers(1, 130).map(lambda eighth: 8 * eighth)))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    return {
        "a": draw(tensors(dtype, (m, k), _ELEMENTS)),
        "x": draw(tensors(float32, (vectors, k), _ELEMENTS)),
        "shifts": (draw(SHIFTS), draw(SHIFTS)),
    }


def _gemv(device: Any, a: Array, x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    """The product of operands so many elements behind aligned addresses."""
    with Scope() as scope:
        result = scope.empty((len(x), len(a)), float32)
        ops.launch_gemv(device, placed(scope, a, shifts[0]), placed(scope, x, shifts[1]), result)
        return result.download()


def _gemv_reference(a: Array, x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    del shifts
    return ref.gemm(x, np.asarray(a, np.float64).T)


def _gemv_bound(a: Array, x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    del shifts
    return bounds.gemm(x, np.asarray(a, np.float64).T, height=gemv_height(x.shape[-1]))


def _gemv_spot(index: tuple[int, ...], a: Array, x: Array, shifts: tuple[int, int] = (0, 0)) -> Any:
    del shifts
    return exact.gemv(a, x[index[0]], at=(index[1],))


def _gemv_case(
    m: int, k: int, dtype: np.dtype[Any], shifts: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    case = _case(m, 2, k)
    return {"a": case["a"].astype(dtype), "x": case["b"].T.copy(), "shifts": shifts}


def _gemv_sums(device: Any, terms: Array) -> Array:
    return ops.gemv(device, terms, np.ones(terms.shape[1], float32))


GEMV = Spec(
    name="gemv",
    source="gemv.hip",
    description=(
        "Product of a row-major matrix of float32, fp16 or bfloat16 with one float32 vector or a "
        "few, in float32."
    ),
    inputs=_weighted(),
    launch=_gemv,
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
        *(_gemv_case(5, 264, float16, shifts) for shifts in ((1, 0), (0, 1))),
        _gemv_case(5, 264, float32, (1, 2)),
    ),
    kernels=("gemv_f32", "gemv_f16", "gemv_bf16"),
    sums=Sums(_gemv_sums, gemv_height),
)

_FORMATS = (
    (float32, float32),
    (float16, float16),
    (bfloat16, bfloat16),
    (float32, float16),
    (float32, bfloat16),
)


def _stored(matrix: Array, transposed: bool) -> Array:
    """The matrix as it is stored: with its last axes exchanged, or as it is."""
    return np.ascontiguousarray(np.swapaxes(matrix, -1, -2)) if transposed else matrix


@composite
def _products(draw: st.DrawFn) -> dict[str, Any]:
    sizes = st.one_of(lengths(1, 150), st.integers(1, 16).map(lambda eighth: 8 * eighth))
    m, n, k = draw(sizes), draw(sizes), draw(sizes)
    left, right = draw(st.sampled_from(_FORMATS))
    batch = draw(st.sampled_from([(), (), (1,), (3,)]))
    transpose_a, transpose_b = draw(st.booleans()), draw(st.booleans())
    beta = draw(st.sampled_from([0.0, 0.0, 1.0, -0.5]))
    return {
        "a": _stored(draw(tensors(left, (*batch, m, k), _ELEMENTS)), transpose_a),
        "b": _stored(
            draw(tensors(right, (*draw(st.sampled_from([batch, ()])), k, n), _ELEMENTS)),
            transpose_b,
        ),
        "c": None if beta == 0 else draw(tensors(left, (*batch, m, n))),
        "transpose_a": transpose_a,
        "transpose_b": transpose_b,
        "alpha": draw(st.sampled_from([1.0, 1.0, -2.0, float(float32.type(0.1))])),
        "beta": beta,
        "splits": draw(st.sampled_from([1, 1, 2, 7])),
        "shifts": (draw(SHIFTS), draw(SHIFTS)),
    }


def _multiply(device: Any, **inputs: Any) -> Array:
    """The product of operands so many elements behind aligned addresses."""
    product = ops.Product(
        *(inputs[name] for name in ("transpose_a", "transpose_b", "alpha", "beta"))
    )
    a, b, c, splits = (inputs[name] for name in ("a", "b", "c", "splits"))
    shifts = inputs.get("shifts", (0, 0))
    batch = max((x.shape[:-2] for x in (a, b)), key=len)
    operands = _operands(inputs)
    rows, columns = operands["a"].shape[-2], operands["b"].shape[-1]
    with Scope() as scope:
        result = scope.empty((*batch, rows, columns), a.dtype)
        if c is not None:
            result.upload(c)
        parts = None
        if splits > 1:
            parts = scope.empty((*(batch or (1,)), splits, rows, columns), float32)
        left, right = placed(scope, a, shifts[0]), placed(scope, b, shifts[1])
        ops.launch_gemm(device, left, right, result, product, parts)
        return result.download()


def _operands(inputs: dict[str, Any]) -> dict[str, Any]:
    """The oracle's arguments: the matrices as they are multiplied."""
    return {
        "a": np.swapaxes(inputs["a"], -1, -2) if inputs["transpose_a"] else inputs["a"],
        "b": np.swapaxes(inputs["b"], -1, -2) if inputs["transpose_b"] else inputs["b"],
        "c": inputs["c"],
        "alpha": inputs["alpha"],
        "beta": inputs["beta"],
    }


def _product_reference(**inputs: Any) -> Array:
    return ref.gemm(**_operands(inputs))


def _product_bound(**inputs: Any) -> Array:
    return bounds.gemm(**_operands(inputs), out=formats.format_of(inputs["a"]))


def _product_spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.gemm(**_operands(inputs), at=index)


def _product_case(
    m: int,
    n: int,
    k: int,
    dtypes: tuple[np.dtype[Any], np.dtype[Any]] = (float32, float32),
    **how: Any,
) -> dict[str, Any]:
    case = _case(m, n, k)
    plain = {"c": None, "alpha": 1.0, "beta": 0.0, "splits": 1, "shifts": (0, 0)}
    transposes = {"transpose_a": False, "transpose_b": False, **how}
    return {
        **plain,
        **transposes,
        "a": _stored(case["a"], transposes["transpose_a"]).astype(dtypes[0]),
        "b": _stored(case["b"], transposes["transpose_b"]).astype(dtypes[1]),
    }


def _batched_case(count: int, m: int, n: int, k: int, **how: Any) -> dict[str, Any]:
    """A batch of different products."""
    case = _product_case(m, n, k, **how)
    factors = np.arange(1, count + 1, dtype=float32).reshape(count, 1, 1)
    return {**case, "a": case["a"] * factors, "b": case["b"] - factors}


GEMM = Spec(
    name="gemm",
    source="gemm.hip",
    description=(
        "Batched products of row-major matrices, either transposed or not, of float32, fp16 or "
        "bfloat16 with float32 sums: alpha op(a) op(b) + beta c, the depth split among blocks."
    ),
    inputs=_products(),
    launch=_multiply,
    reference=_product_reference,
    bound=_product_bound,
    u_out=2.0**-8,
    spot=_product_spot,
    formula=(
        "|alpha| gamma_(k+1) |A||B| + u (|alpha A B| + |beta C| + |y|) + u_out |y|; Higham, 3.5"
    ),
    cases=(
        _product_case(1, 1, 1),
        _product_case(65, 63, 17, transpose_b=True),
        _product_case(30, 576, 576, (float32, float16), transpose_b=True),  # SmolLM2-135M's width
        _product_case(128, 4, 250, (float16, float16)),  # n % 64 = 4: a tail that must be written
        _product_case(64, 72, 64, (bfloat16, bfloat16), transpose_a=True),
        _product_case(3, 5, 0),
        _product_case(5, 12, 20, transpose_b=True),  # rows of whole vectors of 4, not of 8
        _batched_case(3, 5, 6, 40),
        *(_product_case(9, 16, 64, (float16, float16), shifts=s) for s in ((1, 0), (0, 1))),
        _product_case(64, 64, 32, transpose_a=True, transpose_b=True, shifts=(1, 2)),
        _product_case(9, 70, 1000, splits=7),
        _product_case(9, 64, 40, splits=7),  # more splits than steps of the depth
        _product_case(16, 16, 32, (float32, bfloat16), beta=-0.5, c=np.ones((16, 16), float32)),
    ),
    examples=25,
    kernels=(
        "gemm_f32",
        "gemm_f16",
        "gemm_bf16",
        "gemm_f32_f16",
        "gemm_f32_bf16",
        "gemm_combine_f32",
        "gemm_combine_f16",
        "gemm_combine_bf16",
    ),
)

GEMM_COMBINE = replace(
    GEMM,
    name="gemm_combine",
    source="gemm_combine.hip",
    description="The parts of products whose depth was split, added and scaled.",
    inputs=_products().map(lambda inputs: {**inputs, "splits": max(inputs["splits"], 2)}),
    cases=(
        _product_case(1, 1, 1, splits=2),
        _product_case(30, 40, 100, (float16, float16), splits=3),
        _product_case(30, 40, 100, (bfloat16, bfloat16), splits=3),
        _batched_case(3, 20, 30, 50, splits=3),
        _product_case(16, 17, 64, beta=-0.3, splits=4, c=_case(16, 17, 3)["b"][:1].repeat(16, 0)),
    ),
    examples=10,
    kernels=("gemm_combine_f32", "gemm_combine_f16", "gemm_combine_bf16"),
)

SPECS = (GEMM_F32_TILED, GEMM, GEMM_COMBINE, GEMV)
