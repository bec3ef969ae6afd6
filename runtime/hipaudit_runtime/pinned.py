"""Host arrays in memory that the device copies from and to while the host goes on."""

from __future__ import annotations

import math
import weakref
from typing import Any, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.hip import call, hip


@final
class _PinnedBytes:
    """Pinned memory, given back when the last array in it is gone."""

    __slots__ = ("__array_interface__", "__weakref__")

    def __init__(self, size: int) -> None:
        address = int(call(hip.hipHostMalloc, size, 0, detail=f"{size} bytes"))
        weakref.finalize(self, call, hip.hipHostFree, address)
        self.__array_interface__ = {
            "shape": (size,),
            "typestr": "|u1",
            "data": (address, False),
            "version": 3,
        }


def pinned_array(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A host array of undefined elements in pinned memory.

    The memory lives as long as the array or any view of it, and as long as a stream holds it for a
    copy. Raises HipError when there is no such memory left.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    whole = np.asarray(_PinnedBytes(max(size, 1)))
    return whole[:size].view(kind).reshape(shape)


def is_pinned(array: npt.NDArray[Any]) -> bool:
    """Whether an array lies in memory of `pinned_array`."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, _PinnedBytes)
