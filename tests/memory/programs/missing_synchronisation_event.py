"""The event is recorded before the work that it is to announce."""

from __future__ import annotations

from common import ON_DEVICE, TWIN, ok
from hip import hip

first, second = (ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking)) for _ in range(2))
buffer, other = ok(hip.hipMalloc(4096)), ok(hip.hipMalloc(4096))
done = ok(hip.hipEventCreate())
if not TWIN:
    ok(hip.hipEventRecord(done, first))
ok(hip.hipMemsetAsync(buffer, 1, 4096, first))  # FAULT: missing-synchronisation other
if TWIN:
    ok(hip.hipEventRecord(done, first))
ok(hip.hipStreamWaitEvent(second, done, 0))
ok(hip.hipMemcpyAsync(other, buffer, 4096, ON_DEVICE, second))  # FAULT: missing-synchronisation at
ok(hip.hipDeviceSynchronize())
for stream in (first, second):
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipEventDestroy(done))
ok(hip.hipFree(buffer))
ok(hip.hipFree(other))
