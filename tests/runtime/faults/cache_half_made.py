"""A cache whose second allocation fails: the first one is nobody's."""

from __future__ import annotations

from variant import TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE


class Cache:
    def __init__(self, size: int) -> None:
        self.keys = DEVICE.allocate(size)  # FAULT: leak
        try:
            self.values = DEVICE.allocate(1 << 60)
        except HipError:
            if TWIN:
                DEVICE.release(self.keys, size)
            raise


try:
    Cache(4096)
except HipError as error:
    print(error)
