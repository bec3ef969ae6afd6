"""Stream-ordered memory freed in its stream, and once more behind it."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMallocAsync(512, stream))
ok(hip.hipMemsetAsync(buffer, 0, 512, stream))
ok(hip.hipFreeAsync(buffer, stream))  # FAULT: double-free other
if not TWIN:
    hip.hipFreeAsync(buffer, stream)  # FAULT: double-free at
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
