"""The event that announces a copy is recorded before the copy is enqueued."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.device import current_device
from hipaudit_runtime.pinned import pinned_array
from hipaudit_runtime.streams import Event, Stream
from hipaudit_runtime.tensors import Scope

data = pinned_array(ONES.shape, ONES.dtype)
data[:] = ONES
with Scope() as scope, Stream() as copies, Stream() as compute, Event() as ready:
    x, y = scope.empty(data.shape, data.dtype), scope.empty(data.shape, data.dtype)
    if not TWIN:
        ready.record(copies)
    x.upload_later(data, copies)  # FAULT: missing-synchronisation other
    if TWIN:
        ready.record(copies)
    compute.wait(ready)
    with compute.current():
        ops.launch_add(current_device(), x, x, y)  # FAULT: missing-synchronisation at
    copies.synchronise()
    compute.synchronise()
