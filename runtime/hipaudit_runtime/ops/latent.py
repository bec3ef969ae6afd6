"""Multi-head latent attention: the cache of latents, and attention over it."""

from __future__ import annotations

import math

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.attention import Logits
from hipaudit_runtime.ops.attention_tiles import tile_shape
from hipaudit_runtime.ops.norms import EPSILON, check_epsilon, launch_rms_norm
from hipaudit_runtime.ops.paged import (
    Launch,
    Sequences,
    Splits,
    check_sequences,
    launch_over_pages,
    split_space,
)
from hipaudit_runtime.ops.products import Product, launch_gemm
from hipaudit_runtime.ops.rotary import frequencies, in_range
from hipaudit_runtime.ops.rowwise import row_geometry
from hipaudit_runtime.tensors import Scope, Tensor

MOST_RANK = 512
MOST_WIDTH = 640
_MOST_NORMED = 1 << 20


def launch_mla_project(
    device: DeviceLike, x: Tensor, down: Tensor, weight: Tensor, latent: Tensor, epsilon: float
) -> None:
    """Launch latent = RMSNorm(x down^T) * weight: x (tokens, width), down (rank, width).

    weight (rank,) and latent (tokens, rank); x, weight and latent float32, down any stored format.
    Two kernels: the product, then its norm in place.
    """
    checks.floats(x=x, weight=weight, latent=latent)
    launch_gemm(device, x, down, latent, Product(transpose_b=True))
    launch_rms_norm(device, latent, weight, latent, epsilon)


def mla_project(
    device: DeviceLike,
    x: checks.Host,
    down: checks.Host,
    weight: checks.Host,
    epsilon: float = EPSILON,
) -> checks.Host:
    """The latents of host arrays, shapes as in `launch_mla_project`."""
    for name, array in (("x", x), ("weight", weight)):
        checks.host(name, array, np.float32)
    checks.hosts(down=down)
    with Scope() as scope:
        latent = scope.empty((len(x), len(down)), np.float32)
        there = scope.upload(x), scope.upload(down), scope.upload(weight)
        launch_mla_project(device, *there, latent, epsilon)
        return latent.download()


def launch_latent_append(
    device: DeviceLike,
    x: Tensor,
    weight: Tensor,
    slots: Tensor,
    positions: Tensor,
    table: Tensor,
    cache: Tensor,
    epsilon: float,
    *,
    interleaved: bool = False,
) -> None:
    """Launch cache[slots] = (RMSNorm(latent) * weight, rope(rest)) of the down-projection x.

    x (tokens, rank + turned) and weight (rank,) float32; slots, positions (tokens,) int32; table as
    that of `frequencies` for all `turned` elements; cache (..., rank + turned) float32, float16 or
    bfloat16. A token whose slot lies outside the cache is not stored; none may be named twice.
    """
    checks.floats(x=x, weight=weight, table=table)
    short = checks.stored("cache", cache)
    checks.rank("x", x, 2)
    checks.rank("weight", weight, 1)
    checks.rank("table", table, 1)
    tokens, width = x.shape
    rank = checks.within("rank", weight.size, 1, _MOST_NORMED)
    if rank + 2 * table.size != width:
        raise ValueError(f"x has shape {x.shape}, not {rank} + {2 * table.size} columns")
    if cache.shape[-1:] != (width,) or len(cache.shape) < 2:
        raise ValueError(f"cache has shape {cache.shape}, not (..., {width})")
    for name, tensor in (("slots", slots), ("positions", positions)):
        checks.dtype(name, tensor, np.int32)
        checks.shape(name, tensor, (tokens,))
        checks.aligned(name, tensor.address, 4)
    inputs = {"x": x, "weight": weight, "slots": slots, "positions": positions, "table": table}
    for name, tensor in inputs.items():
        checks.disjoint(name, tensor, "cache", cache)
    check_epsilon(epsilon)
    cache_slots = math.prod(cache.shape[:-1])
    checks.within("slots of the cache", cache_slots, 0, checks.FEW_INDEX - 1)
    if tokens == 0:
        return
    block = row_geometry("latent_append", tokens, rank)
    sizes = (rank, 2 * table.size, int(interleaved), cache_slots)
    arguments = packed(x, weight, slots, positions, table, cache, *sizes, float(epsilon))
    kernel = modules.kernel(device, "latent_append.hip", f"latent_append_{short}")
    kernel.launch(tokens, block, arguments)


def latent_append(
    device: DeviceLike,
    cache: checks.Host,
    x: checks.Host,
    weight: checks.Host,
    slots: checks.Host,
    positions: checks.Host,
    base: float = 10000.0,
    epsilon: float = EPSILON,
    *,
    interleaved: bool = False,
) -> checks.Host:
    """The cache, a host array (slots, rank + turned), after the tokens went into their slots."""
    for name, array in (("x", x), ("weight", weight)):
        checks.host(name, array, np.float32)
    for name, array in (("slots", slots), ("positions", positions)):
        checks.host(name, array, np.int32)
    checks.host("cache", cache, cache.dtype)
    in_range(positions)
    stored = slots[(slots >= 0) & (slots < cache.shape[0])]
    if np.unique(stored).size != stored.size:
        raise ValueError(f"slots is {slots}: two tokens go to one slot")
    table = frequencies(x.shape[-1] - weight.size, base)
    with Scope() as scope:
        new = scope.upload(x), scope.upload(weight)
        where = scope.upload(slots), scope.upload(positions), scope.upload(table)
        there = scope.upload(cache)
        launch_latent_append(device, *new, *where, there, epsilon, interleaved=interleaved)
        return there.download()


def launch_mla_attention(
    device: DeviceLike,
    q: Tensor,
    latents: Tensor,
    sequences: Sequences,
    o: Tensor,
    scale: float,
    splits: Splits | None = None,
) -> None:
    """Launch o = softmax(scale q c^T) latent(c), c the latents of each token's sequence up to it.

    q (tokens, heads, rank + turned) and o (tokens, heads, rank) float32; latents (pages, page size,
    rank + turned), float32, float16 or bfloat16; rank up to 512, in all up to 640. The scale is
    that of the heads before absorption, so it has no default. Otherwise as
    `launch_paged_attention`.
    """
    checks.floats(q=q, o=o)
    checks.rank("q", q, 3)
    checks.rank("latents", latents, 3)
    tokens, heads, size = q.shape
    pages, page_size, _ = latents.shape
    short = checks.stored("latents", latents)
    checks.shape("latents", latents, (pages, page_size, size))
    checks.rank("o", o, 3)
    rank = checks.within("rank", o.shape[-1], 1, MOST_RANK)
    checks.shape("o", o, (tokens, heads, rank))
    checks.within("size", size, rank, MOST_WIDTH)
    for name, tensor in (("q", q), ("latents", latents)):
        checks.disjoint(name, tensor, "o", o)
    if o.size == 0:
        return
    tile = tile_shape(sequences.most_queries * heads, size, rank, latent=True)
    shared = Tensor(latents.buffer, (pages, page_size, 1, size), latents.dtype, latents.offset)
    launch = Launch(f"mla_attention_{short}", "mla_attention.hip", tile, (shared,))
    launch_over_pages(device, launch, q, sequences, o, Logits(scale=scale), splits)


def mla_attention(
    device: DeviceLike,
    q: checks.Host,
    latents: checks.Host,
    block_table: checks.Host,
    query_starts: checks.Host,
    lengths: checks.Host,
    rank: int,
    scale: float,
    splits: int = 1,
) -> checks.Host:
    """Latent attention of host arrays over a paged cache, shapes as in `launch_mla_attention`."""
    checks.host("q", q, np.float32)
    checks.host("latents", latents, latents.dtype)
    checks.rank("latents", latents, 3)
    most = check_sequences(block_table, query_starts, lengths, latents.shape[:2], len(q))
    with Scope() as scope:
        o = scope.empty((*q.shape[:-1], rank), np.float32)
        table, starts = scope.upload(block_table), scope.upload(query_starts)
        sequences = Sequences(table, starts, scope.upload(lengths), most)
        parts = split_space(scope, o, splits)
        there = scope.upload(q), scope.upload(latents)
        launch_mla_attention(device, *there, sequences, o, scale, parts)
        return o.download()
