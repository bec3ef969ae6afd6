"""Attention over keys and values that lie one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.attention_tiles import MOST_SIZE, MOST_TOKENS, tile_shape
from hipaudit_runtime.tensors import Scope, Tensor


@dataclass(frozen=True, slots=True)
class Logits:
    """How attention makes logits of products, and which keys a query sees.

    scale    factor of q k^T; 1 / sqrt(size) when None
    causal   a query sees the keys up to its own position; the last query is the last key's
    window   of those only the last so many; None: all
    softcap  logits become softcap * tanh(s / softcap); None: as they are
    """

    scale: float | None = None
    causal: bool = True
    window: int | None = None
    softcap: float | None = None

    def arguments(self, size: int) -> tuple[int, int, float, float]:
        """(causal, window, scale, softcap) as kernels take them, 0 for what is not asked for."""
        scale = 1 / math.sqrt(size) if self.scale is None else float(self.scale)
        if not math.isfinite(scale):
            raise ValueError(f"scale is {scale}")
        window, softcap = 0, 0.0
        if self.window is not None:
            window = checks.within("window", self.window, 1, checks.FEW_INDEX - 1)
        if self.softcap is not None:
            softcap = checks.within("softcap", float(self.softcap), 1e-30, 1e30)
        return int(self.causal or window > 0), window, scale, softcap


PLAIN = Logits()
"""Causal, scaled by 1 / sqrt(size)."""


def launch_flash_attention(
    device: DeviceLike, q: Tensor, k: Tensor, v: Tensor, o: Tensor, logits: Logits = PLAIN
) -> None:
    """Launch o = softmax(scale q k^T) v, in memory that does not grow with the keys.

    q (batch, query heads, queries, size), k (batch, key heads, keys, size), v (batch, key heads,
    keys, value size), o (batch, query heads, queries, value size), all float32, float16 or
    bfloat16; query heads a multiple of key heads; sizes up to 256. A query without keys gives 0.
    """
    short = checks.stored("q", q)
    for name, tensor in (("q", q), ("k", k), ("v", v), ("o", o)):
        checks.dtype(name, tensor, q.dtype)
        checks.rank(name, tensor, 4)
        checks.aligned(name, tensor.address, q.dtype.itemsize)
        if tensor is not o:
            checks.disjoint(name, tensor, "o", o)
    batch, query_heads, queries, size = q.shape
    _, key_heads, keys, value_size = v.shape
    checks.shape("k", k, (batch, key_heads, keys, size))
    checks.shape("v", v, (batch, key_heads, keys, value_size))
    checks.shape("o", o, (batch, query_heads, queries, value_size))
    group = checks.group_of(query_heads, key_heads)
    checks.within("size", size, 1, MOST_SIZE)
    checks.within("value size", value_size, 0, MOST_SIZE)
    checks.within("keys", keys, 0, MOST_TOKENS)
    checks.within("queries in a group", queries * group, 0, MOST_TOKENS)
    causal, window, scale, softcap = logits.arguments(size)
    if o.size == 0:
        return
    tile = tile_shape(queries * group, size, value_size)
    row_tiles = -(-queries * group // tile.rows)
    grid = batch * key_heads * row_tiles
    checks.blocks_for(f"attention of {grid} tiles", grid * tile.threads, tile.threads)
    heads = (query_heads, key_heads, queries, keys, size, value_size)
    arguments = packed(
        q, k, v, o, *heads, row_tiles, tile.keys, causal, window, scale, softcap
    )  # fmt: skip
    kernel = modules.kernel(device, "flash_attention.hip", f"flash_attention_{short}")
    kernel.launch(grid, tile.threads, arguments, shared_bytes=tile.shared_bytes)


def flash_attention(
    device: DeviceLike,
    q: checks.Host,
    k: checks.Host,
    v: checks.Host,
    logits: Logits = PLAIN,
) -> checks.Host:
    """Attention of host arrays, shapes as in `launch_flash_attention`."""
    for name, array in (("q", q), ("k", k), ("v", v)):
        checks.host(name, array, q.dtype)
        checks.rank(name, array, 4)
    with Scope() as scope:
        result = scope.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
        there = scope.upload(q), scope.upload(k), scope.upload(v)
        launch_flash_attention(device, *there, result, logits)
        return result.download()
