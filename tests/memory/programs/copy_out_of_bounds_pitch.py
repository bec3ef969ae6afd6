"""Rows counted without the pitch: the last ones lie behind the end."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

rows, width = 8, 100
image = ok(hip.hipMalloc(rows * width))
data = np.ones((rows, width), np.uint8)
pitch = width if TWIN else 128
hip.hipMemcpy2D(image, pitch, data, width, width, rows, TO_DEVICE)  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(image))
