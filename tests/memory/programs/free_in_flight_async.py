"""A free in another stream, while the first one still fills the memory."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

first, second = ok(hip.hipStreamCreate()), ok(hip.hipStreamCreate())
buffer = ok(hip.hipMallocAsync(1 << 20, first))
ok(hip.hipMemsetAsync(buffer, 0, 1 << 20, first))  # FAULT: free-in-flight other
if TWIN:
    event = ok(hip.hipEventCreate())
    ok(hip.hipEventRecord(event, first))
    ok(hip.hipStreamWaitEvent(second, event, 0))
    ok(hip.hipEventDestroy(event))
hip.hipFreeAsync(buffer, second)  # FAULT: free-in-flight at
for stream in (first, second):
    ok(hip.hipStreamSynchronize(stream))
    ok(hip.hipStreamDestroy(stream))
