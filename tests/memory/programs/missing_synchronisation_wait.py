"""A stream waits for an event that nothing has recorded yet: no wait at all."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

first, second = (ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking)) for _ in range(2))
buffer = ok(hip.hipMalloc(4096))
done = ok(hip.hipEventCreate())
if not TWIN:
    ok(hip.hipStreamWaitEvent(second, done, 0))
ok(hip.hipMemsetAsync(buffer, 1, 4096, first))  # FAULT: missing-synchronisation other
ok(hip.hipEventRecord(done, first))
if TWIN:
    ok(hip.hipStreamWaitEvent(second, done, 0))
ok(hip.hipMemsetAsync(buffer, 2, 4096, second))  # FAULT: missing-synchronisation at
ok(hip.hipDeviceSynchronize())
for stream in (first, second):
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipEventDestroy(done))
ok(hip.hipFree(buffer))
