"""An arena whose mark is put back while a kernel of another stream still writes to what it gave."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.arenas import Arena
from hipaudit_runtime.device import current_device
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope

device = current_device()
with Arena(16384) as arena, Scope() as weights, Stream() as first, Stream() as second:
    x = weights.upload(ONES)
    step, following = Scope(arena), Scope(arena)
    with first.current():
        y = step.empty(x.shape, x.dtype)
        ops.launch_add(device, x, x, y)  # FAULT: missing-synchronisation other
    if TWIN:
        first.synchronise()
        step.close()
    else:
        kept = dict(arena._live)
        arena._live.clear()
    with second.current():
        following.empty(x.shape, x.dtype).upload(ONES)  # FAULT: missing-synchronisation at
    following.close()
    if not TWIN:
        arena._live.update(kept)
        step.close()
    first.synchronise()
