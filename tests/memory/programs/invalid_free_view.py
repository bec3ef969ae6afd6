"""A view that believes itself an owner."""

from __future__ import annotations

from common import TWIN, address, ok
from hip import hip

rows = ok(hip.hipMalloc(4 * 256))
views = [address(rows) + 256 * row for row in range(4)]
ok(hip.hipMemset(rows, 0, 1024))
if not TWIN:
    hip.hipFree(views[2])  # FAULT: invalid-free at
ok(hip.hipFree(rows))
