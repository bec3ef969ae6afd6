"""A stream for each request, that nobody destroys."""

from __future__ import annotations

from typing import Any

from variant import ONES, TWIN

from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.tensors import Scope


def answer() -> Any:
    stream = call(hip.hipStreamCreateWithFlags, hip.hipStreamNonBlocking)  # FAULT: leak warning
    with Scope() as scope:
        scope.upload(ONES)
    return stream


for _ in range(3):
    made = answer()
    if TWIN:
        call(hip.hipStreamDestroy, made)
