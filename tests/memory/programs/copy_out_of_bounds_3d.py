"""A box one slice deeper than its memory."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

volume = hip.hipPitchedPtr()
ok(hip.hipMalloc3D(volume, hip.hipExtent(64, 4, 4)))
depth = 4 if TWIN else 5
hip.hipMemset3D(volume, 0, hip.hipExtent(64, 4, depth))  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(volume.ptr))
