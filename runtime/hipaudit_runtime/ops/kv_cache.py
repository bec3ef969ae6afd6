"""What goes into a cache of keys and values, and what comes out of it again for other kernels."""

from __future__ import annotations

import math

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Size, packed
from hipaudit_runtime.ops.paged import cache_format, stored_row
from hipaudit_runtime.ops.rotary import frequencies, in_range
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_EACH = 4


def launch_kv_append(
    device: DeviceLike,
    k: Tensor,
    v: Tensor,
    slots: Tensor,
    positions: Tensor,
    table: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    *,
    interleaved: bool = False,
) -> None:
    """Launch k_cache[slots] = rope(k), v_cache[slots] = v.

    k (tokens, heads, size), v (tokens, heads, value size) float32; slots, positions (tokens,)
    int32; table as that of `frequencies`. k_cache (..., heads, size) and v_cache (..., heads, value
    size), of equally many slots, both float32, float16 or bfloat16, or uint8 with Q8_0 blocks, 34
    bytes for 32 elements. A paged cache's slot is page * page size + offset. A token whose slot is
    -1 or lies outside is not stored; none may be named twice.
    """
    checks.floats(k=k, v=v, table=table)
    short = cache_format("k_cache", k_cache)
    cache_format("v_cache", v_cache)
    checks.dtype("v_cache", v_cache, k_cache.dtype)
    checks.rank("k", k, 3)
    checks.rank("v", v, 3)
    checks.rank("table", table, 1)
    tokens, heads, size = k.shape
    value_size = v.shape[-1]
    checks.shape("v", v, (tokens, heads, value_size))
    rotated = checks.within("rotated", 2 * table.size, 0, size)
    for name, tensor in (("slots", slots), ("positions", positions)):
        checks.dtype(name, tensor, np.int32)
        checks.shape(name, tensor, (tokens,))
        checks.aligned(name, tensor.address, 4)
    cache_slots = _slots_of("k_cache", k_cache, (heads, stored_row(k_cache, size)))
    if _slots_of("v_cache", v_cache, (heads, stored_row(v_cache, value_size))) != cache_slots:
        raise ValueError(f"v_cache has shape {v_cache.shape}, not the slots of {k_cache.shape}")
    checks.disjoint("k_cache", k_cache, "v_cache", v_cache)
    inputs = {"k": k, "v": v, "slots": slots, "positions": positions, "table": table}
    for name, tensor in inputs.items():
        checks.disjoint(name, tensor, "k_cache", k_cache)
        checks.disjoint(name, tensor, "v_cache", v_cache)
    blocks = short == "q8_0"
    each = (size + value_size) // 32 if blocks else size - rotated // 2 + value_size
    work = tokens * heads * each
    if work == 0:
        return
    checks.within("elements", work, 1, checks.FEW_INDEX - 1)
    checks.within("slots of the cache", cache_slots, 0, checks.FEW_INDEX - 1)
    grid = checks.blocks_for(f"kv_append of {work} elements", work, _THREADS)
    sizes = (tokens, heads, size, value_size, rotated, int(interleaved), cache_slots)
    arguments = packed(k, v, slots, positions, table, k_cache, v_cache, *sizes)
    file = "kv_append_q8_0.hip" if blocks else "kv_append.hip"
    kernel = modules.kernel(device, file, f"kv_append_{short}")
    kernel.launch(grid, _THREADS, arguments)


def kv_append(
    device: DeviceLike,
    k_cache: checks.Host,
    v_cache: checks.Host,
    k: checks.Host,
    v: checks.Host,
    slots: checks.Host,
    positions: checks.Host,
    base: float = 10000.0,
    *,
    rotated: int | None = None,
    interleaved: bool = False,
) -> tuple[checks.Host, checks.Host]:
    """Both caches, host arrays, after the tokens went into their slots; the originals stay.

    Raises ValueError for a slot that is named twice and for a position beyond 2^24.
    """
    for name, array in (("k", k), ("v", v)):
        checks.host(name, array, np.float32)
    for name, array in (("slots", slots), ("positions", positions)):
        checks.host(name, array, np.int32)
    for name, array in (("k_cache", k_cache), ("v_cache", v_cache)):
        checks.host(name, array, k_cache.dtype)
    in_range(positions)
    stored = slots[(slots >= 0) & (slots < k_cache.shape[0])]
    if np.unique(stored).size != stored.size:
        raise ValueError(f"slots is {slots}: two tokens go to one slot")
    table = frequencies(k.shape[-1] if rotated is None else rotated, base)
    with Scope() as scope:
        new = scope.upload(k), scope.upload(v)
        where = scope.upload(slots), scope.upload(positions), scope.upload(table)
        caches = scope.upload(k_cache), scope.upload(v_cache)
        launch_kv_append(device, *new, *where, *caches, interleaved=interleaved)
        return caches[0].download(), caches[1].download()


def launch_kv_replicate(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x with each head copied for its group: (..., heads, tokens, size), y's heads more.

    Both float32, float16 or bfloat16, not overlapping; y's heads are a multiple of x's.
    """
    checks.stored("x", x)
    checks.dtype("y", y, x.dtype)
    checks.aligned("y", y.address, y.dtype.itemsize)
    if len(x.shape) < 3 or len(y.shape) != len(x.shape):
        raise ValueError(f"x {x.shape} and y {y.shape} are not (..., heads, tokens, size) both")
    groups = checks.group_of(y.shape[-3], x.shape[-3])
    checks.shape("y", y, (*x.shape[:-3], x.shape[-3] * groups, *x.shape[-2:]))
    checks.disjoint("x", x, "y", y)
    if y.size == 0:
        return
    grid = checks.blocks_for(f"kv_replicate of {y.size} elements", -(-y.size // _EACH), _THREADS)
    kernel = modules.kernel(device, "kv_replicate.hip", f"kv_replicate_{8 * x.dtype.itemsize}")
    span = x.shape[-2] * x.shape[-1]
    kernel.launch(grid, _THREADS, packed(x, y, Size(y.size), Size(span), groups))


def kv_replicate(device: DeviceLike, cache: checks.Host, groups: int) -> checks.Host:
    """A host array (..., heads, tokens, size) with each head copied *groups* times."""
    checks.host("cache", cache, cache.dtype)
    if len(cache.shape) < 3:
        raise ValueError(f"cache has shape {cache.shape}, not (..., heads, tokens, size)")
    checks.within("groups", groups, 1, checks.FEW_INDEX - 1)
    wanted = (*cache.shape[:-3], cache.shape[-3] * groups, *cache.shape[-2:])
    with Scope() as scope:
        result = scope.empty(wanted, cache.dtype)
        launch_kv_replicate(device, scope.upload(cache), result)
        return result.download()


def _slots_of(name: str, cache: Tensor, row: tuple[int, int]) -> int:
    """How many rows of that shape a cache has."""
    if cache.shape[-2:] != row or len(cache.shape) < len(row) + 1:
        raise ValueError(f"{name} has shape {cache.shape}, not (..., {row[0]}, {row[1]})")
    return math.prod(cache.shape[:-2])
