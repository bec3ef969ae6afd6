"""Memory of one stream's pool, used in another stream before it is there."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime.pools import StreamPool
from hipaudit_runtime.streams import Event, Stream
from hipaudit_runtime.tensors import Scope

with Stream() as owner, Stream() as user, StreamPool(owner) as pool, Scope(pool) as scope:
    x = scope.empty(ONES.shape, ONES.dtype)  # FAULT: missing-synchronisation other
    if TWIN:
        with Event() as made:
            made.record(owner)
            user.wait(made)
    with user.current():
        x.upload(ONES)  # FAULT: missing-synchronisation at
