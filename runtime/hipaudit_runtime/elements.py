"""Where the elements of an array lie in a buffer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hipaudit_runtime.buffers import HipBuffer


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of an array without gaps whose last axis varies fastest."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def span(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    """The elements that an array reaches from its first: the lowest, and behind the highest."""
    if 0 in shape:
        return 0, 0
    reach = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    return sum(min(each, 0) for each in reach), sum(max(each, 0) for each in reach) + 1


@dataclass(frozen=True, slots=True)
class Elements:
    """An array's place.

    shape    elements along each axis
    dtype    of an element
    offset   bytes from the buffer's start to the first element
    strides  elements from one to the next along each axis
    """

    buffer: HipBuffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    strides: tuple[int, ...]
