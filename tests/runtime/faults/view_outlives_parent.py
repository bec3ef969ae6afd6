"""A view that holds an address, not the buffer: the weights go, the view stays."""

from __future__ import annotations

import ctypes

from variant import ONES, TWIN

from hipaudit_runtime import modules
from hipaudit_runtime.device import current_device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.tensors import Scope, Tensor


class View:
    def __init__(self, tensor: Tensor) -> None:
        self.pointer = ctypes.c_void_p(tensor.address)
        self.tensor = tensor if TWIN else None


def bias(scope: Scope) -> View:
    weights = Scope()
    view = View(weights.upload(ONES))
    if TWIN:
        scope._stack.callback(weights.close)
    else:
        weights.close()  # FAULT: use-after-free other
    return view


with Scope() as scope:
    view, y = bias(scope), scope.upload(ONES)
    add = modules.kernel(current_device(), "add.hip", "add")
    sizes = ctypes.c_size_t(1024)
    pointers = view.pointer, ctypes.c_void_p(y.address), ctypes.c_void_p(y.address)
    try:
        add.launch(1, 256, (*pointers, sizes))  # FAULT: use-after-free at
        call(hip.hipDeviceSynchronize)
    except HipError as error:
        print(error)
