"""A fill of the size before a change."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(1000))
size = 1000 if TWIN else 1024
hip.hipMemset(buffer, 0, size)  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(buffer))
