"""Stream-ordered memory used behind its free."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMallocAsync(256, stream))
if TWIN:
    ok(hip.hipMemsetAsync(buffer, 0, 256, stream))
ok(hip.hipFreeAsync(buffer, stream))  # FAULT: use-after-free other
if not TWIN:
    hip.hipMemsetAsync(buffer, 0, 256, stream)  # FAULT: use-after-free at
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
