"""Memory from a pool of our own, never given back."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip

properties = hip.hipMemPoolProps()
properties.allocType = hip.hipMemAllocationType.hipMemAllocationTypePinned
properties.location.type = hip.hipMemLocationType.hipMemLocationTypeDevice
pool = ok(hip.hipMemPoolCreate(properties))
stream = ok(hip.hipStreamCreate())
buffer = ok(hip.hipMallocFromPoolAsync(2048, pool, stream))  # FAULT: leak
ok(hip.hipMemsetAsync(buffer, 0, 2048, stream))
if TWIN:
    ok(hip.hipFreeAsync(buffer, stream))
ok(hip.hipStreamSynchronize(stream))
ok(hip.hipMemPoolDestroy(pool))
ok(hip.hipStreamDestroy(stream))
