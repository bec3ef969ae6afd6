"""Operands at addresses that are no multiple of a vector, and special values all over a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from hipaudit.inputs import float32
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


_LONG = 2500
"""Columns: more than two for each thread of the largest block, and a tail that fills no wave."""


def landmarks() -> tuple[Array, ...]:
    """Matrices in whose rows one place is special: any end of a thread's, wave's or block's share.

    Each is (places, columns) of float32. In one the place holds a NaN, in others +inf beside the
    largest finite number, the largest of moderate ones, or the lowest finite number among -inf; in
    the last the largest stands once more at the end.
    """
    powers = {(1 << k) + beside for k in range(12) for beside in (-1, 0, 1)}
    places = sorted({*(place for place in powers if place < _LONG), _LONG - 2, _LONG - 1})
    plain = np.random.default_rng(3).normal(0, 3, _LONG).astype(float32)
    rows = np.arange(len(places))

    def planted(value: float, around: Array = plain) -> Array:
        x = np.tile(around, (len(places), 1))
        x[rows, places] = value
        return x

    tied = planted(100.0)
    tied[:, -1] = 100.0
    highest = np.finfo(float32).max
    beside = plain.copy()
    beside[0] = highest
    masked = planted(-highest, np.full(_LONG, -np.inf, float32))
    return planted(np.nan), planted(np.inf, beside), planted(100.0), masked, tied
