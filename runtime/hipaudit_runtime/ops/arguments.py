"""Kernel arguments from Python values."""

from __future__ import annotations

import ctypes
from typing import Any

from hipaudit_runtime.ops.checks import FEW_INDEX
from hipaudit_runtime.tensors import Tensor

Size = ctypes.c_size_t
"""For the parameters that are size_t: an int becomes a 32-bit int."""


Long = ctypes.c_longlong
"""For the parameters that are long long."""

Null = ctypes.c_void_p
"""``Null()`` is the pointer of an argument that is left out."""


class Pointer(ctypes.c_void_p):
    """The address of a tensor's first element, which remembers the tensor."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(tensor.address)
        self.tensor = tensor


def packed(*values: Tensor | float | Size | Long | Null) -> tuple[Any, ...]:
    """The values as ctypes, in the order of the kernel's parameters.

    A tensor is its address, an int an ``int``, a float a ``float``. Raises ValueError for an int
    that does not fit: ctypes would cut it off in silence; and for a tensor with gaps, which no
    kernel takes.
    """
    return tuple(_packed(value) for value in values)


def _packed(value: Tensor | float | Size | Long | Null) -> Any:
    if isinstance(value, Tensor):
        if not value.contiguous:
            raise ValueError(
                f"a view of shape {value.shape} with strides {value.strides}: kernels take "
                "row-major tensors without gaps; copy it to one with ops.launch_gather_view"
            )
        return Pointer(value)
    if isinstance(value, float):
        return ctypes.c_float(value)
    if isinstance(value, int):
        if not -FEW_INDEX <= value < FEW_INDEX:
            raise ValueError(f"{value} does not fit into a kernel's int")
        return ctypes.c_int(value)
    return value
