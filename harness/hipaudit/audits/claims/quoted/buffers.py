"""A buffer with a derived copy, as the bug analysis quotes it; run with a form's name.

quoted   a copy has the same pointer, and both give the memory back
view     no copies, but a view of a part gives back what its parent owns
offset   the same with a view that does not begin where its parent does
deep     a copy has memory of its own
counted  views hold their parent, and the last one gives the memory back
ours     the runtime's own buffer and tensors

Prints one JSON object with what the form observed.
"""

from __future__ import annotations

import copy
import json
import sys
import weakref
from collections.abc import Callable
from typing import Any

from hip import hip

SIZE = 4096


def ok(answer: Any) -> Any:
    """Return a call's results without its status; RuntimeError when that is no success."""
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise RuntimeError(str(status))
    return results[0] if len(results) == 1 else tuple(results)


class Buffer:
    """Device memory by its address."""

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.size = size

    def drop(self) -> None:
        """Give the memory back, as a destructor does: nobody looks at the status."""
        hip.hipFree(self.address)

    def view(self, offset: int) -> Buffer:
        """Return the memory from *offset* on."""
        return Buffer(self.address + offset, self.size - offset)

    def deep_copy(self) -> Buffer:
        """Return a copy with memory of its own."""
        twin = allocate(self.size)
        kind = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
        ok(hip.hipMemcpy(twin.address, self.address, self.size, kind))
        return twin


def allocate(size: int) -> Buffer:
    """Return a buffer filled with zeros."""
    address = int(ok(hip.hipMalloc(size)))
    ok(hip.hipMemset(address, 0, size))
    return Buffer(address, size)


def quoted() -> dict[str, Any]:
    """Drop a tensor and its clone."""
    first = allocate(SIZE)
    second = copy.copy(first)
    first.drop()
    second.drop()
    return {"same_pointer": first.address == second.address}


def view(offset: int = 0) -> dict[str, Any]:
    """Drop a view, then use and drop its parent."""
    parent = allocate(SIZE)
    parent.view(offset).drop()
    hip.hipMemset(parent.address, 1, SIZE)
    parent.drop()
    return {}


def deep() -> dict[str, Any]:
    """Drop a tensor and a copy with memory of its own."""
    first = allocate(SIZE)
    second = first.deep_copy()
    first.drop()
    second.drop()
    return {"same_pointer": first.address == second.address}


class Shared:
    """Memory that lives until nobody holds it."""

    def __init__(self) -> None:
        self.buffer = allocate(SIZE)
        weakref.finalize(self, self.buffer.drop)


def counted() -> dict[str, Any]:
    """Drop a view, use its parent, drop that."""
    parent = Shared()
    part = (parent, 256)
    del part
    ok(hip.hipMemset(parent.buffer.address, 1, SIZE))
    del parent
    return {}


def ours() -> dict[str, Any]:
    """Copy, view and drop the runtime's buffers."""
    import numpy as np

    from hipaudit_runtime.buffers import HipBuffer
    from hipaudit_runtime.tensors import Tensor

    with HipBuffer(SIZE) as parent:
        parent.upload(np.zeros(SIZE, np.uint8))
        try:
            copy.copy(parent)
            refused = False
        except TypeError:
            refused = True
        part = Tensor(parent, (16,), np.dtype(np.float32), 256)
        del part
        zeros = not parent.download((SIZE,), np.uint8).any()
        with parent.deep_copy() as twin:
            apart = twin.address != parent.address
    return {"copy_refused": refused, "parent_lives": zeros, "copy_apart": apart}


FORMS: dict[str, Callable[[], dict[str, Any]]] = {
    "quoted": quoted,
    "view": view,
    "offset": lambda: view(256),
    "deep": deep,
    "counted": counted,
    "ours": ours,
}


def main() -> None:
    """Run the form that is asked for."""
    sys.stdout.write(json.dumps(FORMS[sys.argv[1]]()) + "\n")


if __name__ == "__main__":
    main()
