"""Logits that are fetched through the null stream while the model's stream still computes them."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime import ops
from hipaudit_runtime.device import current_device
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope

with Scope() as scope, Stream() as stream:
    x, logits = scope.upload(ONES), scope.empty(ONES.shape, ONES.dtype)
    with stream.current():
        ops.launch_softmax(
            current_device(), x.reshape(1, -1), logits.reshape(1, -1)
        )  # FAULT: missing-synchronisation other
    if TWIN:
        stream.synchronise()
    logits.download()  # FAULT: missing-synchronisation at
