"""Attention over the pages of a cache, and joining what its splits have found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.attention import PLAIN, Logits
from hipaudit_runtime.ops.attention_tiles import MOST_SIZE, MOST_TOKENS, TileShape, tile_shape
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_BLOCK = 32
_BLOCK_BYTES = 34


@dataclass(frozen=True, slots=True)
class Sequences:
    """Which pages, queries and keys each sequence of a batch has, on the device; all int32.

    block_table    (sequences, table width): the pages of a sequence in order
    query_starts   (sequences + 1,): where its queries begin among all tokens, then their number
    lengths        (sequences,): its keys, the last of which are its queries' own
    most_queries   of any sequence: what the grid must cover
    """

    block_table: Tensor
    query_starts: Tensor
    lengths: Tensor
    most_queries: int = 1


@dataclass(frozen=True, slots=True)
class Splits:
    """Into how many parts the keys are split, and where the parts' results wait to be joined.

    partials  float32 (tokens * query heads, count, value size + 2)
    """

    count: int
    partials: Tensor


def launch_paged_attention(
    device: DeviceLike,
    q: Tensor,
    k_pages: Tensor,
    v_pages: Tensor,
    sequences: Sequences,
    o: Tensor,
    logits: Logits = PLAIN,
    splits: Splits | None = None,
) -> None:
    """Launch o = attention of each token's query over its sequence's keys, up to its own.

    q (tokens, query heads, size) and o (tokens, query heads, value size) float32; k_pages (pages,
    page size, key heads, size) and v_pages (..., value size), both float32, float16 or bfloat16, or
    uint8 with Q8_0 blocks, 34 bytes for 32 elements; query heads a multiple of key heads; sizes up
    to 256. What `sequences` holds is on the device: a page outside the cache makes the rows that
    see it NaN. *splits* makes two kernels of it.
    """
    checks.floats(q=q, o=o)
    checks.rank("q", q, 3)
    checks.rank("k_pages", k_pages, 4)
    checks.rank("o", o, 3)
    tokens, query_heads, size = q.shape
    pages, page_size, key_heads, _ = k_pages.shape
    value_size = o.shape[-1]
    short = cache_format("k_pages", k_pages)
    cache_format("v_pages", v_pages)
    checks.dtype("v_pages", v_pages, k_pages.dtype)
    rows = (pages, page_size, key_heads)
    checks.shape("k_pages", k_pages, (*rows, stored_row(k_pages, size)))
    checks.shape("v_pages", v_pages, (*rows, stored_row(v_pages, value_size)))
    checks.shape("o", o, (tokens, query_heads, value_size))
    for name, tensor in (("q", q), ("k_pages", k_pages), ("v_pages", v_pages)):
        checks.disjoint(name, tensor, "o", o)
    checks.within("size", size, 1, MOST_SIZE)
    checks.within("value size", value_size, 0, MOST_SIZE)
    if o.size == 0:
        return
    group = checks.group_of(query_heads, key_heads)
    tile = tile_shape(sequences.most_queries * group, size, value_size)
    launch = Launch(f"paged_attention_{short}", "paged_attention.hip", tile, (k_pages, v_pages))
    launch_over_pages(device, launch, q, sequences, o, logits, splits)


def paged_attention(
    device: DeviceLike,
    q: checks.Host,
    k_pages: checks.Host,
    v_pages: checks.Host,
    block_table: checks.Host,
    query_starts: checks.Host,
    lengths: checks.Host,
    logits: Logits = PLAIN,
    splits: int = 1,
) -> checks.Host:
    """Attention of host arrays over a paged cache, shapes as in `launch_paged_attention`.

    Raises ValueError for a page outside the cache and a length beyond a sequence's pages.
    """
    checks.host("q", q, np.float32)
    for name, array in (("k_pages", k_pages), ("v_pages", v_pages)):
        checks.host(name, array, k_pages.dtype)
        checks.rank(name, array, 4)
    most = check_sequences(block_table, query_starts, lengths, k_pages.shape[:2], len(q))
    with Scope() as scope:
        o = scope.empty((*q.shape[:-1], _values_of(v_pages)), np.float32)
        there = scope.upload(q), scope.upload(k_pages), scope.upload(v_pages)
        table, starts = scope.upload(block_table), scope.upload(query_starts)
        sequences = Sequences(table, starts, scope.upload(lengths), most)
        parts = split_space(scope, o, splits)
        launch_paged_attention(device, *there, sequences, o, logits, parts)
        return o.download()


def cache_format(name: str, cache: Tensor) -> str:
    """The kernels' name for a cache's format: `STORED`, or uint8 for Q8_0 blocks."""
    if cache.dtype != np.uint8:
        return checks.stored(name, cache)
    checks.aligned(name, cache.address, 2)
    return "q8_0"


def stored_row(cache: checks.ArrayLike, values: int) -> int:
    """Elements of a row of so many values in a cache's format; ValueError for a part of a block."""
    if cache.dtype != np.uint8:
        return values
    if values % _BLOCK:
        raise ValueError(f"{values} values are no multiple of Q8_0's {_BLOCK}")
    return values // _BLOCK * _BLOCK_BYTES


def _values_of(cache: checks.Host) -> int:
    """Values of a row of a cache."""
    row = int(cache.shape[-1])
    return row if cache.dtype != np.uint8 else row // _BLOCK_BYTES * _BLOCK


@dataclass(frozen=True, slots=True)
class Launch:
    """A kernel over pages: its entry point and file, its block, and the caches it reads."""

    name: str
    file: str
    tile: TileShape
    caches: tuple[Tensor, ...]


def launch_over_pages(
    device: DeviceLike,
    launch: Launch,
    q: Tensor,
    sequences: Sequences,
    o: Tensor,
    logits: Logits,
    splits: Splits | None,
) -> None:
    """Check what all kernels over pages have in common, launch one, and join its splits."""
    tokens, query_heads, size = q.shape
    pages, page_size, key_heads, _ = launch.caches[0].shape
    value_size = o.shape[-1]
    count, table_width = _check_sequences(sequences, o)
    group = query_heads // key_heads
    _, window, scale, softcap = logits.arguments(size)
    checks.within("pages", pages, 0, MOST_TOKENS)
    checks.within("page size", page_size, 1, MOST_TOKENS)
    checks.within("most_queries", sequences.most_queries, 0, tokens)
    checks.within("queries of a group", sequences.most_queries * group, 0, MOST_TOKENS)
    row_tiles = -(-sequences.most_queries * group // launch.tile.rows)
    threads = launch.tile.threads
    grid = count * key_heads * row_tiles
    checks.blocks_for(f"{launch.name} of {grid} tiles", grid * threads, threads)
    partials = o
    if splits is not None:
        checks.within("splits", splits.count, 1, checks.MOST_BLOCKS_ACROSS)
        partials = splits.partials
        checks.floats(partials=partials)
        checks.shape("partials", partials, partials_shape(o, splits.count))
        checks.disjoint("partials", partials, "o", o)
    if grid == 0:
        return
    across = splits.count if splits is not None else 1
    table = (sequences.block_table, sequences.query_starts, sequences.lengths)
    sizes = (query_heads, key_heads, size, value_size, pages, page_size, table_width)
    arguments = packed(
        q, *launch.caches, *table, o, partials, *sizes, row_tiles, launch.tile.keys, window, scale,
        softcap,
    )  # fmt: skip
    kernel = modules.kernel(device, launch.file, launch.name)
    kernel.launch((grid, across, 1), threads, arguments, shared_bytes=launch.tile.shared_bytes)
    if across > 1:
        launch_attention_combine(device, partials, o)


def launch_attention_combine(device: DeviceLike, partials: Tensor, o: Tensor) -> None:
    """Launch o = the results of splits joined: partials (rows, splits, value size + 2) float32.

    o (..., value size) float32 with as many rows.
    """
    checks.floats(partials=partials, o=o)
    checks.rank("partials", partials, 3)
    splits = checks.within("splits", partials.shape[1], 1, checks.MOST_BLOCKS_ACROSS)
    checks.shape("partials", partials, partials_shape(o, splits))
    checks.disjoint("partials", partials, "o", o)
    if o.size == 0:
        return
    checks.within("elements of o", o.size, 1, checks.FEW_INDEX - 1)
    grid = checks.blocks_for(f"attention_combine of {o.size} elements", o.size, _THREADS)
    kernel = modules.kernel(device, "attention_combine.hip", "attention_combine")
    arguments = packed(partials, o, partials.shape[0], splits, o.shape[-1])
    kernel.launch(grid, _THREADS, arguments)


def partials_shape(o: checks.ArrayLike, splits: int) -> tuple[int, int, int]:
    """The shape of the float32 space that *splits* splits of *o* need."""
    rows, value_size = checks.rows_and_columns(o)
    return rows, splits, value_size + 2


def split_space(scope: Scope, o: Tensor, splits: int) -> Splits | None:
    """Space for *splits* splits of *o*; none for one split."""
    if splits == 1:
        return None
    return Splits(splits, scope.empty(partials_shape(o, splits), np.float32))


def check_sequences(
    block_table: checks.Host,
    query_starts: checks.Host,
    lengths: checks.Host,
    cache: tuple[int, ...],
    tokens: int,
) -> int:
    """Check a batch on the host: pages inside the *cache*, (pages, page size), and enough of them.

    Returns the largest number of queries of a sequence. Raises ValueError with the value.
    """
    for name, array in (("block_table", block_table), ("query_starts", query_starts)):
        checks.host(name, array, np.int32)
    checks.host("lengths", lengths, np.int32)
    checks.rank("block_table", block_table, 2)
    checks.shape("lengths", lengths, block_table.shape[:1])
    checks.shape("query_starts", query_starts, (len(lengths) + 1,))
    counts = np.diff(query_starts)
    if query_starts[0] != 0 or query_starts[-1] != tokens or np.any(counts < 0):
        raise ValueError(f"query_starts is {query_starts}, not ascending from 0 to {tokens}")
    pages, page_size = cache
    for sequence, length in enumerate(lengths.tolist()):
        checks.within(f"lengths[{sequence}]", length, 0, block_table.shape[1] * page_size)
        for page in block_table[sequence, : -(-length // page_size)].tolist():
            checks.within(f"a page of sequence {sequence}", page, 0, pages - 1)
    return int(np.max(counts, initial=0))


def _check_sequences(sequences: Sequences, o: Tensor) -> tuple[int, int]:
    """The number of sequences and the width of their table."""
    named = (
        ("block_table", sequences.block_table),
        ("query_starts", sequences.query_starts),
        ("lengths", sequences.lengths),
    )
    for name, tensor in named:
        checks.dtype(name, tensor, np.int32)
        checks.aligned(name, tensor.address, 4)
        checks.disjoint(name, tensor, "o", o)
    checks.rank("block_table", sequences.block_table, 2)
    count, width = sequences.block_table.shape
    checks.shape("lengths", sequences.lengths, (count,))
    checks.shape("query_starts", sequences.query_starts, (count + 1,))
    return count, width
