"""A thread that evicts weights while the main thread still launches with them."""

from __future__ import annotations

import threading

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.device import current_device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE
from hipaudit_runtime.tensors import Scope, Tensor

device = current_device()
evicted = threading.Event()


def evict(weights: Tensor) -> None:
    if TWIN:
        evicted.wait()
    address, size = weights.address, weights.nbytes
    weights.buffer._gone = "freed" if TWIN else ""
    DEVICE.release(address, size)  # FAULT: use-after-free other


weights = Scope().upload(ONES)
with Scope() as scope:
    y = scope.empty(weights.shape, weights.dtype)
    thread = threading.Thread(target=evict, args=(weights,))
    thread.start()
    if not TWIN:
        thread.join()
    try:
        ops.launch_add(device, weights, weights, y)  # FAULT: use-after-free at
    except HipError as error:
        print(error)
    evicted.set()
    thread.join()
weights.buffer._gone = "freed"
