"""Rotary position embedding."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
MOST_POSITION = 1 << 24
"""float32 holds every position up to here."""


def frequencies(rotated: int, base: float = 10000.0) -> checks.Host:
    """base^(-2 i / rotated) for i < rotated / 2, computed in float64 and rounded to float32."""
    if rotated < 0 or rotated % 2:
        raise ValueError(f"rotated is {rotated}, not an even number >= 0")
    exponents = -2.0 * np.arange(rotated // 2) / max(rotated, 1)
    return np.asarray(np.float64(base) ** exponents, dtype=np.float32)


def launch_rope(
    device: DeviceLike,
    x: Tensor,
    positions: Tensor,
    table: Tensor,
    y: Tensor,
    *,
    interleaved: bool = False,
) -> None:
    """Launch y = x with each head's first 2 * len(table) elements turned by their position.

    x and y (tokens, heads, size) float32, float16 or bfloat16, y may be x; positions (tokens,)
    int32; table is that of `frequencies`. Pairs are (i, i + len(table)), or (2 i, 2 i + 1) when
    interleaved.
    """
    suffix = checks.suffix(x=x, y=y)
    checks.floats(table=table)
    checks.rank("x", x, 3)
    checks.rank("table", table, 1)
    tokens, heads, size = x.shape
    checks.shape("y", y, x.shape)
    checks.dtype("positions", positions, np.int32)
    checks.shape("positions", positions, (tokens,))
    checks.aligned("positions", positions.address, 4)
    checks.same_or_disjoint("x", x, "y", y)
    checks.disjoint("positions", positions, "y", y)
    checks.disjoint("table", table, "y", y)
    rotated = checks.within("rotated", 2 * table.size, 0, size)
    if x.size == 0:
        return
    work = tokens * heads * (size - rotated // 2)
    checks.within("pairs", work, 1, checks.FEW_INDEX - 1)
    grid = checks.blocks_for(f"rope of {work} pairs", work, _THREADS)
    arguments = packed(x, positions, table, y, tokens, heads, size, rotated, int(interleaved))
    modules.kernel(device, "rope.hip", f"rope{suffix}").launch(grid, _THREADS, arguments)


def rope(
    device: DeviceLike,
    x: checks.Host,
    positions: checks.Host,
    base: float = 10000.0,
    *,
    rotated: int | None = None,
    interleaved: bool = False,
) -> checks.Host:
    """RoPE of a host array (tokens, heads, size) at int32 positions (tokens,).

    x        float32, float16 or bfloat16, as the result

    rotated  elements of a head that are turned; all when None
    Raises ValueError for a position outside 0 to 2^24, beyond which float32 has gaps.
    """
    checks.hosts(x=x)
    checks.host("positions", positions, np.int32)
    checks.rank("x", x, 3)
    in_range(positions)
    table = frequencies(x.shape[-1] if rotated is None else rotated, base)
    with Scope() as scope:
        there = (scope.upload(x), scope.upload(positions), scope.upload(table))
        result = scope.empty(x.shape, x.dtype)
        launch_rope(device, *there, result, interleaved=interleaved)
        return result.download()


def in_range(positions: checks.Host) -> None:
    """Raise ValueError for a position outside 0 to 2^24, beyond which float32 has gaps."""
    for position in positions[(positions < 0) | (positions > MOST_POSITION)][:1]:
        raise ValueError(f"position {position} is outside 0 to {MOST_POSITION}")
