"""The same weights uploaded for every token, into memory that holds them already."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

weights = np.arange(1024, dtype=np.float32)
buffer = ok(hip.hipMalloc(weights.nbytes))
for token in range(4):
    if not TWIN or token == 0:
        ok(
            hip.hipMemcpy(buffer, weights, weights.nbytes, TO_DEVICE)
        )  # FAULT: redundant-copy warning
ok(hip.hipFree(buffer))
