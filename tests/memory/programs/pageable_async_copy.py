"""An asynchronous copy from ordinary memory, which makes the host wait all the same."""

from __future__ import annotations

import numpy as np
from common import TO_DEVICE, TWIN, ok
from hip import hip

SIZE = 4096
stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMalloc(SIZE))
source = ok(hip.hipHostMalloc(SIZE, 0)) if TWIN else np.ones(SIZE, np.uint8)
ok(
    hip.hipMemcpyAsync(buffer, source, SIZE, TO_DEVICE, stream)
)  # FAULT: pageable-async-copy warning
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(buffer))
if TWIN:
    ok(hip.hipHostFree(source))
