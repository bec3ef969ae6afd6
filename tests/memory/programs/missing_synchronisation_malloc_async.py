"""Memory made in one stream, used in another that does not wait for it."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

first, second = (ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking)) for _ in range(2))
buffer = ok(hip.hipMallocAsync(4096, first))  # FAULT: missing-synchronisation other
if TWIN:
    ok(hip.hipStreamSynchronize(first))
ok(hip.hipMemsetAsync(buffer, 0, 4096, second))  # FAULT: missing-synchronisation at
ok(hip.hipDeviceSynchronize())
ok(hip.hipFreeAsync(buffer, second))
ok(hip.hipDeviceSynchronize())
for stream in (first, second):
    ok(hip.hipStreamDestroy(stream))
