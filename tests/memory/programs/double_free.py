"""Two cleanup paths, both run."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(512))
ok(hip.hipMemset(buffer, 0, 512))
ok(hip.hipFree(buffer))  # FAULT: double-free other
if not TWIN:
    hip.hipFree(buffer)  # FAULT: double-free at
