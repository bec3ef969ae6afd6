"""More threads in a block than the part has."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, TWIN, module_of, ok, pointer_to
from hip import hip

module = module_of(ADD_ONE)
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
data = ok(hip.hipMalloc(256))
ok(hip.hipMemset(data, 0, 256))
grid = (1, 1, 1, 256 if TWIN else 2048, 1, 1, 0)
arguments = (pointer_to(data), ctypes.c_int(64))
hip.hipModuleLaunchKernel(function, *grid, None, None, arguments)  # FAULT: launch-limit at
hip.hipDeviceSynchronize()
ok(hip.hipFree(data))
ok(hip.hipModuleUnload(module))
