"""Ordinary host memory given to hipFree, once its copy on the device was freed."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

data = np.zeros(64, np.float32)
buffer = ok(hip.hipMalloc(data.nbytes))
ok(hip.hipMemcpy(buffer, data, data.nbytes, TO_DEVICE))
ok(hip.hipFree(buffer))
if not TWIN:
    hip.hipFree(data.ctypes.data)  # FAULT: invalid-free at
