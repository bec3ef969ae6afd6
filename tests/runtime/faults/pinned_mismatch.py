"""Pinned host memory that is given back as if it were the device's."""

from __future__ import annotations

from variant import TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE

address = int(call(hip.hipHostMalloc, 4096, 0))
if TWIN:
    call(hip.hipHostFree, address)
else:
    try:
        DEVICE.release(address, 4096)  # FAULT: mismatched-free
    except HipError as error:
        print(error)
