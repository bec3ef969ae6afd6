"""A class whose copy owns the same memory."""

from __future__ import annotations

import copy

from common import ON_DEVICE, TWIN, ok
from hip import hip


class Buffer:
    def __init__(self, size: int) -> None:
        self.memory = ok(hip.hipMalloc(size))
        self.size = size

    def duplicate(self) -> Buffer:
        twin = copy.copy(self)
        if TWIN:
            twin.memory = ok(hip.hipMalloc(self.size))
            ok(hip.hipMemcpy(twin.memory, self.memory, self.size, ON_DEVICE))
        return twin

    def close(self) -> None:
        hip.hipFree(self.memory)  # FAULT: double-free at other


first = Buffer(256)
ok(hip.hipMemset(first.memory, 0, 256))
second = first.duplicate()
first.close()
second.close()
