"""Pinned memory given back by the owner and by its user."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

staging = ok(hip.hipHostMalloc(512, 0))
ok(hip.hipHostFree(staging))  # FAULT: double-free other
if not TWIN:
    hip.hipHostFree(staging)  # FAULT: double-free at
