"""Pinned memory freed as device memory."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

staging = ok(hip.hipHostMalloc(2048, 0))
if TWIN:
    ok(hip.hipHostFree(staging))
else:
    hip.hipFree(staging)  # FAULT: mismatched-free at
