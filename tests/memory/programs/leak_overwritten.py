"""A buffer that grows: the name is bound anew, the memory before it is lost."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = None
for size in (256, 512, 1024):
    if TWIN and buffer is not None:
        ok(hip.hipFree(buffer))
    buffer = ok(hip.hipMalloc(size))  # FAULT: leak
    ok(hip.hipMemset(buffer, 0, size))
ok(hip.hipFree(buffer))
