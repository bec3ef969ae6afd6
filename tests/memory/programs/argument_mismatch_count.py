"""A parameter short."""

from __future__ import annotations

import ctypes
import struct

from common import ADD_ONE, ONE_BLOCK, TWIN, address, module_of, ok
from hip import hip

module = module_of(ADD_ONE)
function = ok(hip.hipModuleGetFunction(module, b"add_one"))
data = ok(hip.hipMalloc(256))
ok(hip.hipMemset(data, 0, 256))
packed = struct.pack("Qi", address(data), 64) if TWIN else struct.pack("Q", address(data))
buffer, size = ctypes.create_string_buffer(packed, len(packed)), ctypes.c_size_t(len(packed))
words = (ctypes.c_void_p * 5)(1, ctypes.addressof(buffer), 2, ctypes.addressof(size), 3)
extra = ctypes.addressof(words)
hip.hipModuleLaunchKernel(function, *ONE_BLOCK, None, None, extra)  # FAULT: argument-mismatch at
hip.hipDeviceSynchronize()
ok(hip.hipFree(data))
ok(hip.hipModuleUnload(module))
