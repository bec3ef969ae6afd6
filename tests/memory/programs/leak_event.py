"""Events for timing, never destroyed."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

start = ok(hip.hipEventCreate())
ok(hip.hipEventRecord(start, None))
stop = ok(hip.hipEventCreate())  # FAULT: leak warning
ok(hip.hipEventRecord(stop, None))
ok(hip.hipEventSynchronize(stop))
ok(hip.hipEventDestroy(start))
if TWIN:
    ok(hip.hipEventDestroy(stop))
