"""Host memory unregistered under a copy that still reads it."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

data = np.ones(1 << 16, np.uint8)
stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMalloc(data.nbytes))
ok(hip.hipHostRegister(data, data.nbytes, 0))
ok(hip.hipMemcpyAsync(buffer, data, data.nbytes, TO_DEVICE, stream))  # FAULT: free-in-flight other
if TWIN:
    ok(hip.hipStreamSynchronize(stream))
ok(hip.hipHostUnregister(data))  # FAULT: free-in-flight at
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipFree(buffer))
ok(hip.hipStreamDestroy(stream))
