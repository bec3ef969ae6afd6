"""A module loaded anew for every request and never unloaded; one that is kept is no leak."""

from __future__ import annotations

import ctypes

from common import ADD_ONE, TWIN, code_of, launch, ok, pointer_to
from hip import hip

code = code_of(ADD_ONE)
data = ok(hip.hipMalloc(256))
ok(hip.hipMemset(data, 0, 256))
kept = None
for _ in range(40):
    if kept is None or not TWIN:
        kept = ok(hip.hipModuleLoadData(code))  # FAULT: leak info
    function = ok(hip.hipModuleGetFunction(kept, b"add_one"))
    launch(function, None, pointer_to(data), ctypes.c_int(64))
ok(hip.hipDeviceSynchronize())
ok(hip.hipFree(data))
