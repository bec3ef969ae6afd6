"""A module that is loaded for one launch and never unloaded."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, TWIN, code_of, launch, ok, pointer_to
from hip import hip

module = ok(hip.hipModuleLoadData(code_of(ADD_ONE)))  # FAULT: leak info
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
data = ok(hip.hipMalloc(256))
ok(hip.hipMemset(data, 0, 256))
launch(function, None, pointer_to(data), ctypes.c_int(64))
ok(hip.hipDeviceSynchronize())
ok(hip.hipFree(data))
if TWIN:
    ok(hip.hipModuleUnload(module))
