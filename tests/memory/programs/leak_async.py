"""Stream-ordered memory that nobody frees; the stream is destroyed in time."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMallocAsync(1024, stream))  # FAULT: leak
ok(hip.hipMemsetAsync(buffer, 0, 1024, stream))
if TWIN:
    ok(hip.hipFreeAsync(buffer, stream))
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
