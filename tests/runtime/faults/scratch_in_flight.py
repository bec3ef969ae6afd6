"""Scratch memory that is freed in the order of another stream than the kernel's that uses it."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.device import current_device
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.pools import StreamPool
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope


class Scratch:
    def __init__(self, pool: StreamPool, stream: Stream) -> None:
        self.pool, self.stream = pool, stream

    def allocate(self, size: int) -> int:
        return self.pool.allocate(size)  # FAULT: free-in-flight other

    def release(self, address: int, size: int) -> None:
        if TWIN:
            self.pool.release(address, size)
            return
        call(hip.hipFreeAsync, address, self.stream.handle)  # FAULT: free-in-flight at
        self.pool._live -= 1


with Stream() as compute, Stream() as cleaner, StreamPool(compute) as pool, Scope() as scope:
    x = scope.upload(ONES)
    with compute.current(), Scope(Scratch(pool, cleaner)) as scratch:
        y = scratch.empty(x.shape, x.dtype)
        ops.launch_add(current_device(), x, x, y)  # FAULT: free-in-flight other
