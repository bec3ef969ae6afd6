"""MS-001's proposed fix: the memory is freed, and the page's number goes to the free list as well.

Whoever takes the number next finds the page where it was.
"""

from __future__ import annotations

import numpy as np
from variant import TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE

PAGE_BYTES = 4096


class Cache:
    def __init__(self, pages: int) -> None:
        self.memory = [DEVICE.allocate(PAGE_BYTES) for _ in range(pages)]
        self.free = list(range(pages))
        self.dropped: set[int] = set()

    def write(self, page: int, entry: float) -> None:
        data = np.full(16, entry, np.float32)
        kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
        target = self.memory[page]
        call(hip.hipMemcpy, target, data.ctypes.data, 64, kind)  # FAULT: use-after-free at

    def remove(self, page: int) -> None:
        if not TWIN:
            DEVICE.release(self.memory[page], PAGE_BYTES)  # FAULT: use-after-free other
            self.dropped.add(page)
        self.free.append(page)

    def close(self) -> None:
        for page, memory in enumerate(self.memory):
            if page not in self.dropped:
                DEVICE.release(memory, PAGE_BYTES)


cache = Cache(2)
first = cache.free.pop()
cache.write(first, 1.0)
cache.remove(first)
try:
    cache.write(cache.free.pop(), 2.0)
except HipError as error:
    print(error)
cache.close()
