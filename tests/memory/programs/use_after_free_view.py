"""A view outlives the buffer it looks into."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, address, ok
from hip import hip

whole = ok(hip.hipMalloc(4096))
view = address(whole) + 1024
ok(hip.hipMemset(whole, 0, 4096))
data = np.ones(256, np.uint8)
if TWIN:
    ok(hip.hipMemcpy(view, data, data.nbytes, TO_DEVICE))
ok(hip.hipFree(whole))  # FAULT: use-after-free other
if not TWIN:
    hip.hipMemcpy(view, data, data.nbytes, TO_DEVICE)  # FAULT: use-after-free at
