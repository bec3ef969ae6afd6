"""Work is put into a stream that was destroyed; a new stream at its address is another one."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

buffer = ok(hip.hipMalloc(4096))
stream = ok(hip.hipStreamCreate())
ok(hip.hipMemsetAsync(buffer, 1, 4096, stream))
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipStreamDestroy(stream))  # FAULT: use-after-free other
if TWIN:
    stream = ok(hip.hipStreamCreate())
hip.hipMemsetAsync(buffer, 2, 4096, stream)  # FAULT: use-after-free at
if TWIN:
    ok(hip.hipStreamSynchronize(stream))
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(buffer))
