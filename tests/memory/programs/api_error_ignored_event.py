"""A time is taken between events of which one was never recorded, and the answer dropped."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

start, stop = ok(hip.hipEventCreate()), ok(hip.hipEventCreate())
ok(hip.hipEventRecord(start, None))
if TWIN:
    ok(hip.hipEventRecord(stop, None))
ok(hip.hipDeviceSynchronize())
hip.hipEventElapsedTime(start, stop)  # FAULT: api-error-ignored
hip.hipSetDevice(0 if TWIN else 7)  # FAULT: api-error-ignored
for event in (start, stop):
    ok(hip.hipEventDestroy(event))
