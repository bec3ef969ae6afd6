"""The next batch is put where the copy of the one before it may still read."""

from __future__ import annotations

import ctypes

import numpy as np
from common import TO_DEVICE, TWIN, address, ok
from hip import hip

BYTES = 1 << 16
stream = ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking))
sent = ok(hip.hipEventCreate())
buffers = [ok(hip.hipMalloc(BYTES)) for _ in range(3)]
pinned = ok(hip.hipHostMalloc(BYTES, 0))
staging = np.ctypeslib.as_array((ctypes.c_uint8 * BYTES).from_address(address(pinned)))

for batch, buffer in enumerate(buffers):
    if TWIN and batch > 0:
        ok(hip.hipEventSynchronize(sent))
    staging[:] = batch  # FAULT: missing-synchronisation at
    ok(
        hip.hipMemcpyAsync(buffer, pinned, BYTES, TO_DEVICE, stream)
    )  # FAULT: missing-synchronisation other
    ok(hip.hipEventRecord(sent, stream))
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
ok(hip.hipEventDestroy(sent))
ok(hip.hipHostFree(pinned))
for buffer in buffers:
    ok(hip.hipFree(buffer))
