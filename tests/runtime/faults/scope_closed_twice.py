"""A scope that does not forget what it has freed."""

from __future__ import annotations

from types import TracebackType

from variant import TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE


class Scope:
    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []

    def empty(self, size: int) -> int:
        self.made.append((DEVICE.allocate(size), size))
        return self.made[-1][0]

    def close(self) -> None:
        for address, size in self.made:
            DEVICE.release(address, size)  # FAULT: double-free at other
        if TWIN:
            self.made.clear()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except HipError as failed:
            print(failed)


scope = Scope()
with scope:
    scope.empty(256)
    scope.close()
