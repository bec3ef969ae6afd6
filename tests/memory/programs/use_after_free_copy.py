"""Results read back after the buffer was given back."""

from __future__ import annotations

import numpy as np
from common import TO_HOST, TWIN, ok
from hip import hip

result = np.zeros(64, np.float32)
buffer = ok(hip.hipMalloc(result.nbytes))
ok(hip.hipMemset(buffer, 0, result.nbytes))
if TWIN:
    ok(hip.hipMemcpy(result, buffer, result.nbytes, TO_HOST))
ok(hip.hipFree(buffer))  # FAULT: use-after-free other
if not TWIN:
    hip.hipMemcpy(result, buffer, result.nbytes, TO_HOST)  # FAULT: use-after-free at
