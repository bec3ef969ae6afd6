"""One workspace for two streams, each of which would need its own."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.device import current_device
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope

device = current_device()
with Scope() as scope, Stream() as first, Stream() as second:
    x = scope.upload(ONES)
    spaces = [scope.empty(ONES.shape, ONES.dtype) for _ in range(2)]
    with first.current():
        ops.launch_scale(device, x, spaces[0], 2.0)  # FAULT: missing-synchronisation other
    with second.current():
        ops.launch_scale(
            device, x, spaces[1 if TWIN else 0], 3.0
        )  # FAULT: missing-synchronisation at
    first.synchronise()
    second.synchronise()
