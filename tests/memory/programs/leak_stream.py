"""A stream a request, never destroyed."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

for _ in range(4):
    stream = ok(hip.hipStreamCreate())  # FAULT: leak warning
    ok(hip.hipStreamSynchronize(stream))
    if TWIN:
        ok(hip.hipStreamDestroy(stream))
