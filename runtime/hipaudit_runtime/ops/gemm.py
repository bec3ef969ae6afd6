"""Matrix products."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

_TILE = 64
_THREADS = 256
_MOST = checks.FEW_INDEX - _TILE


def launch_gemm_f32(device: DeviceLike, a: Tensor, b: Tensor, c: Tensor) -> None:
    """Launch c = a @ b for float32 matrices; c overlaps neither a nor b."""
    checks.floats(a=a, b=b, c=c)
    checks.rank("a", a, 2)
    checks.rank("b", b, 2)
    m, k = a.shape
    n = b.shape[1]
    checks.shape("b", b, (k, n))
    checks.shape("c", c, (m, n))
    for name, size in (("m", m), ("n", n), ("k", k)):
        checks.within(name, size, 0, _MOST)
    for name, tensor in (("a", a), ("b", b)):
        checks.disjoint(name, tensor, "c", c)
    if c.size == 0:
        return
    tiles = -(-m // _TILE) * -(-n // _TILE)
    checks.blocks_for(f"a product of {m} x {n}", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "gemm_f32_tiled.hip", "gemm_f32_tiled")
    kernel.launch(tiles, _THREADS, packed(a, b, c, m, n, k))


def gemm_f32(device: DeviceLike, a: checks.Host, b: checks.Host) -> checks.Host:
    """The product of two float32 host matrices, computed on the device; k = 0 gives zeros."""
    checks.host("a", a, np.float32)
    checks.host("b", b, np.float32)
    checks.rank("a", a, 2)
    checks.rank("b", b, 2)
    with Scope() as scope:
        result = scope.empty((a.shape[0], b.shape[1]), np.float32)
        launch_gemm_f32(device, scope.upload(a), scope.upload(b), result)
        return result.download()
