"""Operands at addresses that are no multiple of a vector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from hipaudit.spec import Array
from hipaudit_runtime.tensors import Scope, Tensor

SHIFTS = st.sampled_from((0, 0, 0, 1, 2, 3, 4))
"""How many elements behind an aligned address an operand begins; most often none."""


def empty(scope: Scope, shape: tuple[int, ...], dtype: npt.DTypeLike, shift: int) -> Tensor:
    """A tensor whose first element is *shift* elements behind an aligned address."""
    kind = np.dtype(dtype)
    whole = scope.empty((int(np.prod(shape)) + shift,), kind)
    return Tensor(whole.buffer, shape, kind, shift * kind.itemsize)


def placed(scope: Scope, array: Array, shift: int) -> Tensor:
    """The same with a host array's elements."""
    tensor = empty(scope, array.shape, array.dtype, shift)
    tensor.upload(array)
    return tensor
