"""Matrix products of stored formats: batched, transposed, scaled, their depth split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Null, Size, packed
from hipaudit_runtime.tensors import Scope, Tensor

_TILE = 64
_THREADS = 64
_COMBINE_THREADS = 256
_MOST_SIDE = checks.FEW_INDEX - _TILE
_MOST_DEPTH = checks.FEW_INDEX - 128

_KERNELS = {
    ("f32", "f32"): "gemm_f32",
    ("f16", "f16"): "gemm_f16",
    ("bf16", "bf16"): "gemm_bf16",
    ("f32", "f16"): "gemm_f32_f16",
    ("f32", "bf16"): "gemm_f32_bf16",
}
"""Entry points of gemm.hip by the formats of a and b; c has a's."""


@dataclass(frozen=True, slots=True)
class Product:
    """What is made of two matrices: c = alpha op(a) op(b) + beta c.

    transpose_a  a is stored as (k, m)
    transpose_b  b is stored as (n, k), as weights are
    alpha, beta  rounded to float32; with beta = 0, c is not read
    """

    transpose_a: bool = False
    transpose_b: bool = False
    alpha: float = 1.0
    beta: float = 0.0


PLAIN = Product()
"""c = a b."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The sizes of a batched product."""

    batch: int
    m: int
    n: int
    k: int


def launch_gemm(
    device: DeviceLike,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    product: Product = PLAIN,
    partials: Tensor | None = None,
) -> None:
    """Launch c = alpha op(a) op(b) + beta c with float32 sums.

    a (m, k) or (batch, m, k), its last axes exchanged when transposed; b likewise, or without a
    batch for all; c (m, n) or (batch, m, n). All of one format, float32, float16 or bfloat16, or b
    alone narrower than float32. c overlaps neither. *partials*, float32 (batch, splits, m, n),
    splits the depth: the parts wait there to be added.
    """
    name = _KERNELS.get((checks.stored("a", a), checks.stored("b", b)))
    if name is None:
        raise TypeError(f"no kernel multiplies {a.dtype} by {b.dtype}")
    checks.dtype("c", c, a.dtype)
    checks.aligned("c", c.address, c.dtype.itemsize)
    shape = _shape(a, b, c, product)
    for label, tensor in (("a", a), ("b", b)):
        checks.disjoint(label, tensor, "c", c)
    splits = _splits(partials, a, b, c, shape)
    if c.size == 0:
        return
    tiles = -(-shape.m // _TILE) * -(-shape.n // _TILE)
    checks.blocks_for(f"a product of {shape.m} x {shape.n}", tiles * _THREADS, _THREADS)
    arguments = packed(
        a, b, c, Null() if partials is None else partials, shape.m, shape.n, shape.k,
        int(product.transpose_a) + 2 * int(product.transpose_b),
        Size(shape.m * shape.k if len(a.shape) == 3 else 0),
        Size(shape.n * shape.k if len(b.shape) == 3 else 0),
        float(product.alpha), float(product.beta),
    )  # fmt: skip
    kernel = modules.kernel(device, "gemm.hip", name)
    kernel.launch((tiles, splits, shape.batch), _THREADS, arguments)
    if splits > 1 and partials is not None:
        launch_gemm_combine(device, partials, c, product)


def launch_gemm_combine(device: DeviceLike, partials: Tensor, c: Tensor, product: Product) -> None:
    """Launch c = alpha (sum of the parts) + beta c; partials (batch, splits, m, n) float32."""
    checks.floats(partials=partials)
    checks.rank("partials", partials, 4)
    batch, splits, m, n = partials.shape
    if c.shape not in {(m, n), (batch, m, n)} or c.size != batch * m * n:
        raise ValueError(f"c has shape {c.shape}, not that of the parts {partials.shape}")
    checks.disjoint("partials", partials, "c", c)
    if c.size == 0:
        return
    checks.within("batch", batch, 1, checks.MOST_BLOCKS_ACROSS)
    grid = checks.blocks_for(f"gemm_combine of {m} x {n}", m * n, _COMBINE_THREADS)
    kernel = modules.kernel(device, "gemm_combine.hip", f"gemm_combine_{checks.stored('c', c)}")
    alpha, beta = float(product.alpha), float(product.beta)
    arguments = packed(partials, c, Size(m * n), splits, alpha, beta)
    kernel.launch((grid, batch, 1), _COMBINE_THREADS, arguments)


def gemm(
    device: DeviceLike,
    a: checks.Host,
    b: checks.Host,
    c: checks.Host | None = None,
    product: Product = PLAIN,
    splits: int = 1,
) -> checks.Host:
    """Alpha op(a) op(b) + beta c of host arrays, shapes as in `launch_gemm`; c stays as it is."""
    for name, array in (("a", a), ("b", b)):
        checks.host(name, array, array.dtype)
    shape = _sizes(a, b, product)
    batched = len(a.shape) == 3 or len(b.shape) == 3
    wanted = (shape.batch, shape.m, shape.n) if batched else (shape.m, shape.n)
    with Scope() as scope:
        if c is None:
            result = scope.empty(wanted, a.dtype)
        else:
            checks.host("c", c, a.dtype)
            result = scope.upload(c)
        parts = None
        if splits > 1:
            parts = scope.empty((shape.batch, splits, shape.m, shape.n), np.float32)
        launch_gemm(device, scope.upload(a), scope.upload(b), result, product, parts)
        return result.download()


def _shape(a: Tensor, b: Tensor, c: Tensor, product: Product) -> _Shape:
    """The product's sizes, checked with c's."""
    shape = _sizes(a, b, product)
    batched = len(a.shape) == 3 or len(b.shape) == 3
    checks.shape("c", c, (shape.batch, shape.m, shape.n) if batched else (shape.m, shape.n))
    return shape


def _sizes(a: checks.ArrayLike, b: checks.ArrayLike, product: Product) -> _Shape:
    """The sizes of op(a) op(b); ValueError where they do not fit or are too large."""
    for name, array in (("a", a), ("b", b)):
        if len(array.shape) not in {2, 3}:
            raise ValueError(f"{name} has shape {array.shape}, not 2 or 3 axes")
    m, k = reversed(a.shape[-2:]) if product.transpose_a else a.shape[-2:]
    depth, n = reversed(b.shape[-2:]) if product.transpose_b else b.shape[-2:]
    if k != depth:
        raise ValueError(f"a {a.shape} and b {b.shape} have inner sizes {k} and {depth}")
    batches = {array.shape[0] for array in (a, b) if len(array.shape) == 3}
    if len(batches) > 1:
        raise ValueError(f"a {a.shape} and b {b.shape} have different batches")
    batch = checks.within("batch", next(iter(batches), 1), 0, checks.MOST_BLOCKS_ACROSS)
    checks.within("m", m, 0, _MOST_SIDE)
    checks.within("n", n, 0, _MOST_SIDE)
    checks.within("k", k, 0, _MOST_DEPTH)
    return _Shape(batch, m, n, k)


def _splits(partials: Tensor | None, a: Tensor, b: Tensor, c: Tensor, shape: _Shape) -> int:
    """Into how many parts the depth is split."""
    if partials is None:
        return 1
    checks.floats(partials=partials)
    checks.rank("partials", partials, 4)
    splits = checks.within("splits", partials.shape[1], 1, checks.MOST_BLOCKS_ACROSS)
    checks.shape("partials", partials, (shape.batch, splits, shape.m, shape.n))
    for name, tensor in (("a", a), ("b", b), ("c", c)):
        checks.disjoint(name, tensor, "partials", partials)
    return splits
