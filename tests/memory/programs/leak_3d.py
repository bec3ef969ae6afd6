"""A box of memory: its pointer is in a structure, and freed through it."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

volume = hip.hipPitchedPtr()
ok(hip.hipMalloc3D(volume, hip.hipExtent(64, 8, 4)))  # FAULT: leak
ok(hip.hipMemset3D(volume, 0, hip.hipExtent(64, 8, 4)))
if TWIN:
    ok(hip.hipFree(volume.ptr))
