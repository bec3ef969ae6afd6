"""A free of what a pointer was moved to, not of what was allocated."""

from __future__ import annotations

from common import TWIN, address, ok
from hip import hip

buffer = ok(hip.hipMalloc(1024))
ok(hip.hipMemset(buffer, 0, 1024))
moved = address(buffer) + 256
if not TWIN:
    hip.hipFree(moved)  # FAULT: invalid-free at
ok(hip.hipFree(buffer))
