"""Rows with a pitch: the memory is as much hipFree's business as any."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

image, pitch = ok(hip.hipMallocPitch(100, 16))  # FAULT: leak
ok(hip.hipMemset2D(image, pitch, 0, 100, 16))
if TWIN:
    ok(hip.hipFree(image))
