"""A count of elements where bytes are due, the wrong way round."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

data = np.ones(100, np.float64)
size = data.nbytes if TWIN else data.size * 4
buffer = ok(hip.hipMalloc(size))
hip.hipMemcpy(buffer, data, data.nbytes, TO_DEVICE)  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(buffer))
