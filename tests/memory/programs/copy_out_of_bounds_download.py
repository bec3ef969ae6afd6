"""A download that is longer than the buffer."""

from __future__ import annotations

import numpy as np
from common import TO_HOST, TWIN, ok
from hip import hip

result = np.zeros(80, np.float32)
buffer = ok(hip.hipMalloc(256))
ok(hip.hipMemset(buffer, 0, 256))
size = 256 if TWIN else result.nbytes
hip.hipMemcpy(result, buffer, size, TO_HOST)  # FAULT: copy-out-of-bounds at
ok(hip.hipFree(buffer))
