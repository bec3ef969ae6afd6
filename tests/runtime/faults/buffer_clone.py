"""MS-002: a copy of a buffer's fields, which then has two owners."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE


def clone(buffer: HipBuffer) -> HipBuffer:
    if TWIN:
        return buffer.deep_copy()
    return HipBuffer.adopt(buffer.address, buffer.size, DEVICE)


first = HipBuffer(ONES.nbytes)
first.upload(ONES)
second = clone(first)
first.free()  # FAULT: double-free other
try:
    second.free()  # FAULT: double-free at
except HipError as error:
    print(error)
