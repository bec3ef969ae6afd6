"""A mixture of experts: router, permutation of tokens, combination."""

from __future__ import annotations

import math

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS
from hipaudit_runtime.tensors import Scope, Tensor

MOST_EXPERTS = 1024
_THREADS = 256
_CHUNK = 256
_LEAST_SCAN = 64
_MOST_SCAN = 1024


def router_height(experts: int, wave_size: int) -> int:
    """Additions on the longest path of the router's sum: a lane's own, then the wave's."""
    return -(-experts // wave_size) + wave_size.bit_length() - 1


def launch_router(
    device: DeviceLike, logits: Tensor, weights: Tensor, indices: Tensor, *, normalised: bool = True
) -> None:
    """Launch the choice of experts: logits (tokens, experts) float32 > weights, indices.

    weights float32 and indices int32, both (tokens, count); *normalised* divides a token's weights
    by their sum.
    """
    checks.floats(logits=logits, weights=weights)
    checks.integers(indices=indices)
    checks.rank("logits", logits, 2)
    checks.rank("weights", weights, 2)
    tokens, experts = logits.shape
    count = weights.shape[1]
    checks.shape("weights", weights, (tokens, count))
    checks.shape("indices", indices, (tokens, count))
    checks.disjoint("logits", logits, "weights", weights)
    checks.disjoint("logits", logits, "indices", indices)
    checks.disjoint("weights", weights, "indices", indices)
    if tokens == 0 or count == 0:
        return
    checks.within("experts", experts, 1, MOST_EXPERTS)
    checks.within("count", count, 1, experts)
    checks.within("tokens", tokens, 1, checks.FEW_INDEX - _THREADS)
    what = f"a router of {tokens} tokens"
    grid = checks.blocks_for(what, tokens * device.wave_size, _THREADS)
    kernel = modules.kernel(device, "moe_router.hip", "moe_router")
    arguments = packed(logits, weights, indices, tokens, experts, count, int(normalised))
    kernel.launch(grid, _THREADS, arguments)


def router(
    device: DeviceLike, logits: checks.Host, count: int, *, normalised: bool = True
) -> tuple[checks.Host, checks.Host]:
    """Each token's most probable experts: weights (tokens, count) and indices, falling."""
    checks.host("logits", logits, np.float32)
    checks.rank("logits", logits, 2)
    with Scope() as scope:
        weights = scope.empty((logits.shape[0], count), np.float32)
        indices = scope.empty(weights.shape, np.int32)
        launch_router(device, scope.upload(logits), weights, indices, normalised=normalised)
        return weights.download(), indices.download()


def permute_scratch(pairs: int, experts: int) -> int:
    """Elements of int32 that `launch_permute` needs for itself."""
    return (experts + 1) * -(-pairs // _CHUNK)


def _scan_block(entries: int) -> int:
    """Threads that scan so many counts: a power of two, one each from 64 threads to 1024."""
    return min(max(_LEAST_SCAN, 1 << (entries - 1).bit_length()), _MOST_SCAN)


def launch_permute(
    device: DeviceLike,
    chosen: Tensor,
    source: Tensor,
    position: Tensor,
    offsets: Tensor,
    scratch: Tensor,
) -> None:
    """Launch the sorting of (token, choice) pairs by expert; all int32.

    chosen of any shape; source and position of as many elements; offsets (experts + 1,); scratch
    (`permute_scratch`,).
    """
    checks.integers(
        chosen=chosen, source=source, position=position, offsets=offsets, scratch=scratch
    )
    pairs = chosen.size
    checks.rank("offsets", offsets, 1)
    experts = checks.within("experts", offsets.size - 1, 1, MOST_EXPERTS)
    checks.shape("source", source, (pairs,))
    checks.shape("position", position, (pairs,))
    checks.shape("scratch", scratch, (permute_scratch(pairs, experts),))
    checks.within("pairs", pairs, 1, checks.FEW_INDEX - _CHUNK)
    checks.within("scratch", scratch.size, 1, checks.FEW_INDEX - 1024)
    outputs = (("source", source), ("position", position), ("offsets", offsets))
    for turn, (name, tensor) in enumerate((*outputs, ("scratch", scratch))):
        checks.disjoint("chosen", chosen, name, tensor)
        for other_name, other in outputs[:turn]:
            checks.disjoint(name, tensor, other_name, other)
    chunks = -(-pairs // _CHUNK)
    file = "moe_permute.hip"
    count = modules.kernel(device, file, "moe_count")
    count.launch(chunks, _CHUNK, packed(chosen, scratch, pairs, experts))
    scan = modules.kernel(device, file, "moe_offsets")
    scan.launch(1, _scan_block(scratch.size), packed(scratch, offsets, experts, chunks))
    scatter = modules.kernel(device, file, "moe_scatter")
    scatter.launch(chunks, _CHUNK, packed(chosen, scratch, source, position, pairs, experts))


def permute(
    device: DeviceLike, chosen: checks.Host, experts: int
) -> tuple[checks.Host, checks.Host, checks.Host]:
    """Pairs sorted by expert: source, offsets (experts + 1,), and position, the inverse of source.

    chosen int32; an index outside [0, experts) belongs to no group and comes last.
    """
    checks.host("chosen", chosen, np.int32)
    checks.within("experts", experts, 1, MOST_EXPERTS)
    pairs = chosen.size
    with Scope() as scope:
        if pairs == 0:
            empty = np.zeros(0, np.int32)
            return empty, np.zeros(experts + 1, np.int32), empty
        source, position = (scope.empty((pairs,), np.int32) for _ in range(2))
        offsets = scope.empty((experts + 1,), np.int32)
        scratch = scope.empty((permute_scratch(pairs, experts),), np.int32)
        launch_permute(device, scope.upload(chosen), source, position, offsets, scratch)
        return source.download(), offsets.download(), position.download()


def launch_combine(
    device: DeviceLike, y: Tensor, weights: Tensor, position: Tensor, out: Tensor
) -> None:
    """Launch out = the weighted sum of each token's experts' rows of y; float32.

    y (tokens * count, n); weights (tokens, count); position (tokens * count,) int32 from
    `launch_permute`, trusted by the kernel; out (tokens, n).
    """
    checks.floats(y=y, weights=weights, out=out)
    checks.integers(position=position)
    checks.rank("y", y, 2)
    checks.rank("weights", weights, 2)
    tokens, count = weights.shape
    n = y.shape[1]
    checks.shape("y", y, (tokens * count, n))
    checks.shape("position", position, (tokens * count,))
    checks.shape("out", out, (tokens, n))
    for name, tensor in (("y", y), ("weights", weights), ("position", position)):
        checks.disjoint(name, tensor, "out", out)
    if out.size == 0:
        return
    checks.within("n", n, 1, MOST_COLUMNS)
    checks.within("pairs", math.prod(weights.shape), 0, checks.FEW_INDEX - 1)
    checks.blocks_for(f"a combination of {tokens} tokens", tokens * _THREADS, _THREADS)
    kernel = modules.kernel(device, "moe_combine.hip", "moe_combine")
    kernel.launch(tokens, _THREADS, packed(y, weights, position, out, count, n))


def combine(
    device: DeviceLike, y: checks.Host, weights: checks.Host, position: checks.Host
) -> checks.Host:
    """The weighted sum of each token's experts' outputs: (tokens, n)."""
    checks.host("y", y, np.float32)
    checks.host("weights", weights, np.float32)
    checks.host("position", position, np.int32)
    checks.rank("y", y, 2)
    checks.rank("weights", weights, 2)
    outside = position[(position < 0) | (position >= y.shape[0])]
    if outside.size:
        raise ValueError(f"position has {outside[0]}, outside 0 to {y.shape[0] - 1}")
    with Scope() as scope:
        result = scope.empty((weights.shape[0], y.shape[1]), np.float32)
        parts = (scope.upload(y), scope.upload(weights), scope.upload(position))
        launch_combine(device, *parts, result)
        return result.download()
