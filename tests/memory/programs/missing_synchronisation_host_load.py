"""A result is read in pinned memory while the copy that brings it may still be under way."""

from __future__ import annotations

import ctypes

import numpy as np
from common import TO_HOST, TWIN, address, ok
from hip import hip

COUNT = 1000
stream = ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking))
buffer = ok(hip.hipMalloc(4 * COUNT))
pinned = ok(hip.hipHostMalloc(4 * COUNT, 0))
host = np.ctypeslib.as_array((ctypes.c_float * COUNT).from_address(address(pinned)))


def total(values: np.ndarray) -> float:
    return float(values.sum())  # FAULT: missing-synchronisation at


ok(hip.hipMemsetAsync(buffer, 0, 4 * COUNT, stream))
ok(
    hip.hipMemcpyAsync(pinned, buffer, 4 * COUNT, TO_HOST, stream)
)  # FAULT: missing-synchronisation other
if TWIN:
    ok(hip.hipStreamSynchronize(stream))
assert total(host) == 0
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
ok(hip.hipHostFree(pinned))
ok(hip.hipFree(buffer))
