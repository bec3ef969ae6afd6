"""Device memory that nobody frees."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(4096))  # FAULT: leak
ok(hip.hipMemset(buffer, 0, 4096))
if TWIN:
    ok(hip.hipFree(buffer))
