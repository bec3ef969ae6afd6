"""A fill of memory that is gone."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(256))
if TWIN:
    ok(hip.hipMemset(buffer, 0, 256))
ok(hip.hipFree(buffer))  # FAULT: use-after-free other
if not TWIN:
    hip.hipMemset(buffer, 0, 256)  # FAULT: use-after-free at
