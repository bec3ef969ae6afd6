"""One stream reads what another has not finished writing."""

from __future__ import annotations

from common import ON_DEVICE, TWIN, ok
from hip import hip

first, second = (ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking)) for _ in range(2))
source, target = ok(hip.hipMalloc(4096)), ok(hip.hipMalloc(4096))
ok(hip.hipMemsetAsync(source, 1, 4096, first))  # FAULT: missing-synchronisation other
if TWIN:
    event = ok(hip.hipEventCreate())
    ok(hip.hipEventRecord(event, first))
    ok(hip.hipStreamWaitEvent(second, event, 0))
    ok(hip.hipEventDestroy(event))
ok(hip.hipMemcpyAsync(target, source, 4096, ON_DEVICE, second))  # FAULT: missing-synchronisation at
for stream in (first, second):
    ok(hip.hipStreamSynchronize(stream))
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(source))
ok(hip.hipFree(target))
