"""A page table that grew: the launch still has the address of the smaller one."""

from __future__ import annotations

import numpy as np
from variant import TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.device import current_device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE
from hipaudit_runtime.tensors import Scope, Tensor


class Table:
    def __init__(self) -> None:
        self.buffer = HipBuffer(64)
        self.rows = self.tensor()

    def tensor(self) -> Tensor:
        return Tensor(self.buffer, (self.buffer.size // 4,), np.dtype(np.int32))

    def grow(self) -> None:
        larger = HipBuffer(2 * self.buffer.size)
        larger.copy_from(self.buffer, self.buffer.size)
        address, size = self.buffer.address, self.buffer.size
        old, self.buffer = self.buffer, larger
        if TWIN:
            old.free()
            self.rows = self.tensor()[:16]
        else:
            DEVICE.release(address, size)  # FAULT: use-after-free other


table = Table()
with Scope() as scope:
    table.rows.upload(np.zeros(16, np.int32))
    embedding = scope.upload(np.ones((4, 32), np.float32))
    y = scope.empty((16, 32), np.float32)
    table.grow()
    try:
        ops.launch_embedding(current_device(), embedding, table.rows, y)  # FAULT: use-after-free at
        call(hip.hipDeviceSynchronize)
    except HipError as error:
        print(error)
table.rows.buffer._gone = "freed" if not TWIN else ""
table.buffer.free()
