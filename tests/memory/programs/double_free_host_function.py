"""A host function gives back what the work before it used; the bug: its caller does so, too."""

from __future__ import annotations

import ctypes

import numpy as np
from common import TO_HOST, TWIN, address, ok
from hip import hip

SIZE = 1 << 16
HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

stream = ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking))
data = ok(hip.hipMalloc(SIZE))
pinned = ok(hip.hipHostMalloc(SIZE, 0))
number = address(pinned)
own = np.zeros(SIZE, np.uint8)
ok(hip.hipHostRegister(own, SIZE, 0))
ok(hip.hipMemsetAsync(data, 1, SIZE, stream))
ok(hip.hipMemcpyAsync(pinned, data, SIZE, TO_HOST, stream))
ok(hip.hipMemcpyAsync(own, data, SIZE, TO_HOST, stream))


def done(_: int | None) -> None:
    ok(hip.hipHostUnregister(own))
    hip.hipHostFree(number)  # FAULT: double-free other


function = HOST_FUNCTION(done)
ok(hip.hipLaunchHostFunc(stream, ctypes.cast(function, ctypes.c_void_p), None))
ok(hip.hipStreamSynchronize(stream))
if not TWIN:
    hip.hipHostFree(number)  # FAULT: double-free at
ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(data))
