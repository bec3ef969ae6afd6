"""An exception between the allocation and its free, caught by a caller."""

from __future__ import annotations

from common import TWIN, ok
from hip import hip


def work() -> None:
    buffer = ok(hip.hipMalloc(2048))  # FAULT: leak
    try:
        ok(hip.hipMemset(buffer, 1, 2048))
        raise ValueError("bad input")
    finally:
        if TWIN:
            ok(hip.hipFree(buffer))


try:
    work()
except ValueError as error:
    print("went on after", error)
