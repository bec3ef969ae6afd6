"""An allocation that failed, whose status nobody looked at."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

first = ok(hip.hipMalloc(1 << 10))
ok(hip.hipMemset(first, 0, 1 << 10))
ok(hip.hipFree(first))
size = 1 << 10 if TWIN else 1 << 50
status, buffer = hip.hipMalloc(size)  # FAULT: api-error-ignored other
hip.hipMemset(buffer, 0, 1 << 10)  # FAULT: api-error-ignored
hip.hipFree(buffer)
