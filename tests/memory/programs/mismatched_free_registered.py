"""Registered memory freed, where it has to be unregistered."""

from __future__ import annotations

import numpy as np
from common import TWIN, ok
from hip import hip

data = np.zeros(4096, np.uint8)
ok(hip.hipHostRegister(data, data.nbytes, 0))
if not TWIN:
    hip.hipHostFree(data)  # FAULT: mismatched-free at
hip.hipHostUnregister(data)
