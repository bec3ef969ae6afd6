"""MS-002 with a view: dropping the first half of a buffer drops the buffer."""

from __future__ import annotations

from types import TracebackType

from variant import ONES, TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE


class View:
    def __init__(self, parent: HipBuffer, size: int) -> None:
        self.parent = parent
        self.size = size

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not TWIN:
            DEVICE.release(self.parent.address, self.size)  # FAULT: use-after-free other


buffer = HipBuffer(ONES.nbytes)
buffer.upload(ONES)
with View(buffer, buffer.size // 2):
    pass
try:
    buffer.download((16,), "f4")  # FAULT: use-after-free at
    buffer.free()
except HipError as error:
    print(error)
    buffer._gone = "freed"
