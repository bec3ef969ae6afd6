"""Finalizers that run while the interpreter goes down; the bug: two owners of one buffer."""

from __future__ import annotations

import dataclasses
from typing import Any

from common import TWIN, ok
from hip import hip


@dataclasses.dataclass
class Buffer:
    memory: Any
    name: str

    def __del__(self) -> None:
        hip.hipFree(self.memory)  # FAULT: double-free at other


first = Buffer(ok(hip.hipMalloc(64)), "weights")
second = Buffer(ok(hip.hipMalloc(64)), "tied") if TWIN else dataclasses.replace(first, name="tied")
