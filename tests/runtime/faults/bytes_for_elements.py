"""A buffer of as many bytes as there are elements."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip

size = ONES.nbytes if TWIN else ONES.size
with HipBuffer(size) as buffer:
    kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
    try:
        call(
            hip.hipMemcpy, buffer.address, ONES.ctypes.data, ONES.nbytes, kind
        )  # FAULT: copy-out-of-bounds
    except HipError as error:
        print(error)
