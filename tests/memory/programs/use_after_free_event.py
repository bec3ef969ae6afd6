"""An event is waited for that a helper has destroyed already."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

first, second = (ok(hip.hipStreamCreate()) for _ in range(2))
done = ok(hip.hipEventCreate())
buffer = ok(hip.hipMalloc(4096))
ok(hip.hipMemsetAsync(buffer, 1, 4096, first))
ok(hip.hipEventRecord(done, first))
if not TWIN:
    ok(hip.hipEventDestroy(done))  # FAULT: use-after-free other
hip.hipStreamWaitEvent(second, done, 0)  # FAULT: use-after-free at
if TWIN:
    ok(hip.hipEventDestroy(done))
ok(hip.hipDeviceSynchronize())
for stream in (first, second):
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(buffer))
