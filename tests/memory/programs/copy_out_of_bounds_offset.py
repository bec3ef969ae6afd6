"""A slice that begins inside and ends outside."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, address, ok
from hip import hip

data = np.ones(64, np.uint8)
buffer = ok(hip.hipMalloc(256))
ok(hip.hipMemset(buffer, 0, 256))
offset = 192 if TWIN else 224
hip.hipMemcpy(
    address(buffer) + offset, data, data.nbytes, TO_DEVICE
)  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(buffer))
