"""MS-002 with a view in the middle: an address that no allocation begins at is freed."""

from __future__ import annotations

from variant import TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE
from hipaudit_runtime.tensors import Scope

with Scope() as scope:
    whole = scope.empty((4, 256), "f4")
    row = whole[2]
    if not TWIN:
        owner = HipBuffer.adopt(row.address, row.nbytes, DEVICE)
        try:
            owner.free()  # FAULT: invalid-free
        except HipError as error:
            print(error)
