"""Memory with flags, fine-grained, that nobody frees."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipExtMallocWithFlags(4096, 1))  # FAULT: leak
ok(hip.hipMemset(buffer, 0, 4096))
if TWIN:
    ok(hip.hipFree(buffer))
