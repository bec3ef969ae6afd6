"""Scratch memory freed in every step, which waits for the step's kernels."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

stream = ok(hip.hipStreamCreate())
scratch = ok(hip.hipMalloc(1 << 16))
for _ in range(16):
    if TWIN:
        ok(hip.hipMemsetAsync(scratch, 0, 1 << 16, stream))
    else:
        own = ok(hip.hipMalloc(1 << 16))
        ok(hip.hipMemsetAsync(own, 0, 1 << 16, stream))
        ok(hip.hipFree(own))  # FAULT: hidden-synchronisation info
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipFree(scratch))
ok(hip.hipStreamDestroy(stream))
