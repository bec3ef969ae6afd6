"""A request's event, destroyed by the request and by the stream's owner."""

from __future__ import annotations

from typing import Any

from variant import TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.streams import Event, Stream


class Owner:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def close(self) -> None:
        for handle in self.events:
            call(hip.hipEventDestroy, handle)  # FAULT: double-free at


owner = Owner()
with Stream() as stream:
    event = Event()
    event.record(stream)
    if not TWIN:
        owner.events.append(event.handle)
    event.close()  # FAULT: double-free other
    try:
        owner.close()
    except HipError as error:
        print(error)
