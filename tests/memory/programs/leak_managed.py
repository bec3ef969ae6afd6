"""Managed memory that nobody frees."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

shared = ok(hip.hipMallocManaged(4096, 1))  # FAULT: leak
ok(hip.hipMemset(shared, 0, 4096))
if TWIN:
    ok(hip.hipFree(shared))
