"""A call whose status nobody looks at."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.hip import call, hip

with HipBuffer(ONES.nbytes) as buffer:
    if TWIN:
        call(hip.hipMemset, buffer.address, 0, ONES.nbytes)
    else:
        hip.hipMemset(None, 0, ONES.nbytes)  # FAULT: api-error-ignored
