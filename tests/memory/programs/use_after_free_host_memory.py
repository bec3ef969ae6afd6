"""A NumPy view outlives the pinned memory under it: the process ends of it."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from common import TWIN, address, ok
from hip import hip

COUNT = 2048


def pinned() -> tuple[Any, np.ndarray]:
    memory = ok(hip.hipHostMalloc(4 * COUNT, 0))
    return memory, np.ctypeslib.as_array((ctypes.c_float * COUNT).from_address(address(memory)))


memory, view = pinned()
view[:] = 2
if TWIN:
    view = view.copy()
ok(hip.hipHostFree(memory))  # FAULT: use-after-free other
print(view.sum())  # FAULT: use-after-free at
