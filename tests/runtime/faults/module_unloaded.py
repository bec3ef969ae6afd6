"""A cache of kernels that unloads a module whose kernel somebody still has."""

from __future__ import annotations

import ctypes

from variant import ONES, TWIN

from hipaudit_runtime import modules, sources
from hipaudit_runtime.device import current_device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.tensors import Scope

source = sources.read(sources.locate("add.hip"))
module = modules.load_module(modules.compile_source(source, current_device().arch))
add = modules.entry_point(module, "add")
with Scope() as scope:
    y = scope.upload(ONES)
    arguments = (*(ctypes.c_void_p(y.address),) * 3, ctypes.c_size_t(y.size))
    if not TWIN:
        call(hip.hipModuleUnload, module)  # FAULT: use-after-free other
    try:
        add.launch(1, 256, arguments)  # FAULT: use-after-free at
    except HipError as error:
        print(error)
    if TWIN:
        call(hip.hipDeviceSynchronize)
        call(hip.hipModuleUnload, module)
