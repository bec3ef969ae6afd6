"""A kernel in one stream, its result fetched through another."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, ONE_BLOCK, TO_HOST, TWIN, module_of, ok, pointer_to
from hip import hip

module = module_of(ADD_ONE)
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
first, second = (ok(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking)) for _ in range(2))
data = ok(hip.hipMalloc(256))
result = ok(hip.hipHostMalloc(256, 0))
ok(hip.hipMemset(data, 0, 256))
ok(hip.hipDeviceSynchronize())
arguments = (pointer_to(data), ctypes.c_int(64))
ok(
    hip.hipModuleLaunchKernel(function, *ONE_BLOCK, first, None, arguments)
)  # FAULT: missing-synchronisation other
if TWIN:
    ok(hip.hipStreamSynchronize(first))
ok(hip.hipMemcpyAsync(result, data, 256, TO_HOST, second))  # FAULT: missing-synchronisation at
ok(hip.hipDeviceSynchronize())
for stream in (first, second):
    ok(hip.hipStreamDestroy(stream))
ok(hip.hipFree(data))
ok(hip.hipHostFree(result))
ok(hip.hipModuleUnload(module))
