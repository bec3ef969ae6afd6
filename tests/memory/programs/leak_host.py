"""Pinned host memory that nobody frees."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

staging = ok(hip.hipHostMalloc(8192, 0))  # FAULT: leak
ok(hip.hipMemset(staging, 0, 8192))
if TWIN:
    ok(hip.hipHostFree(staging))
