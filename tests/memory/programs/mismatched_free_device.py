"""Device memory freed as pinned memory."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(2048))
if TWIN:
    ok(hip.hipFree(buffer))
else:
    hip.hipHostFree(buffer)  # FAULT: mismatched-free at
