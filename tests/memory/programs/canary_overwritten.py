"""A kernel writes one element past the end; a later free sees the red zone changed."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, TWIN, launch, module_of, ok, pointer_to
from hip import hip

# SETTINGS: build=plain ledger_redzone=256
module = module_of(ADD_ONE)
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
data = ok(hip.hipMalloc(252))
ok(hip.hipMemset(data, 0, 252))
count = 63 if TWIN else 64
launch(function, None, pointer_to(data), ctypes.c_int(count))
ok(hip.hipDeviceSynchronize())  # FAULT: canary-overwritten at
hip.hipFree(data)  # FAULT: canary-overwritten at
ok(hip.hipModuleUnload(module))
