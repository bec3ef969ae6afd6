"""A count where a pointer belongs: the two were swapped."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, ONE_BLOCK, TWIN, module_of, ok, pointer_to
from hip import hip

module = module_of(ADD_ONE)
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
data = ok(hip.hipMalloc(256))
ok(hip.hipMemset(data, 0, 256))
memory = pointer_to(data) if TWIN else ctypes.c_void_p(64)
arguments = (memory, ctypes.c_int(64))
hip.hipModuleLaunchKernel(
    function, *ONE_BLOCK, None, None, arguments
)  # FAULT: argument-mismatch at
hip.hipDeviceSynchronize()
ok(hip.hipFree(data))
ok(hip.hipModuleUnload(module))
