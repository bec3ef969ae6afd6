"""What every launcher demands of its arguments before anything is allocated or launched.

Each check raises with the argument's name and value: ValueError for a shape, size or address,
TypeError for a type.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.tensors import Tensor

FEW_INDEX = 1 << 31
"""Kernels index with int where a check has kept the range below this."""

MOST_THREADS_LAUNCHED = (1 << 32) - 1
"""HIP refuses a launch whose grid times block reaches 2^32 along an axis."""

MOST_BLOCKS_ACROSS = (1 << 16) - 1
"""Blocks that HIP takes along a grid's second and third axis."""

STORED = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}
"""The kernels' names for the formats that weights and activations are stored in."""

Host = npt.NDArray[Any]
_Number = TypeVar("_Number", int, float)


class ArrayLike(Protocol):
    """What a host array and a device tensor have in common."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of an element."""


def dtype(name: str, array: ArrayLike, wanted: npt.DTypeLike) -> None:
    """The array's elements are of the wanted type, in this machine's byte order."""
    if array.dtype != np.dtype(wanted):
        raise TypeError(f"{name} is {array.dtype}, not {np.dtype(wanted)}")


def floats(**tensors: Tensor) -> None:
    """Each tensor is float32, at an address that is a multiple of 4."""
    for name, tensor in tensors.items():
        dtype(name, tensor, np.float32)
        aligned(name, tensor.address, 4)


def stored(name: str, tensor: Tensor) -> str:
    """The kernels' name for the tensor's format, which is one of `STORED`, aligned to itself."""
    if tensor.dtype.name not in STORED:
        raise TypeError(f"{name} is {tensor.dtype}, not one of {', '.join(STORED)}")
    aligned(name, tensor.address, tensor.dtype.itemsize)
    return STORED[tensor.dtype.name]


def suffix(**tensors: Tensor) -> str:
    """What a kernel's name ends in for tensors of one stored format; float32 has no suffix."""
    (name, first), *others = tensors.items()
    short = stored(name, first)
    for name, tensor in others:
        dtype(name, tensor, first.dtype)
        aligned(name, tensor.address, tensor.dtype.itemsize)
    return "" if short == "f32" else f"_{short}"


def integers(**tensors: Tensor) -> None:
    """Each tensor is int32, at an address that is a multiple of 4."""
    for name, tensor in tensors.items():
        dtype(name, tensor, np.int32)
        aligned(name, tensor.address, 4)


def rank(name: str, array: ArrayLike, wanted: int) -> None:
    """The array has the wanted number of axes."""
    if len(array.shape) != wanted:
        raise ValueError(f"{name} has shape {array.shape}, not {wanted} axes")


def shape(name: str, array: ArrayLike, wanted: tuple[int, ...]) -> None:
    """The array has the wanted shape."""
    if array.shape != wanted:
        raise ValueError(f"{name} has shape {array.shape}, not {wanted}")


def hosts(**arrays: Host) -> None:
    """Host arrays of one of the stored formats, C-contiguous; the first one's type is all's."""
    first = next(iter(arrays.values()))
    for name, array in arrays.items():
        known = isinstance(first, np.ndarray) and first.dtype.name in STORED
        host(name, array, first.dtype if known else np.float32)


def host(name: str, array: Host, wanted: npt.DTypeLike) -> None:
    """A host array of the wanted type, C-contiguous: a copy here would hide a stride's cost."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is {type(array).__name__}, not a numpy array")
    dtype(name, array, wanted)
    if not array.flags.c_contiguous:
        raise ValueError(
            f"{name} is not C-contiguous: shape {array.shape}, strides {array.strides}"
        )


def within(name: str, value: _Number, low: _Number, high: _Number) -> _Number:
    """*value*, if low <= value <= high; NaN is outside."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}, outside {low} to {high}")
    return value


def aligned(name: str, address: int, to: int) -> None:
    """The address is a multiple of *to* bytes."""
    if address % to:
        raise ValueError(f"{name} lies at {address:#x}, which is not aligned to {to} bytes")


def disjoint(name: str, one: Tensor, other_name: str, other: Tensor) -> None:
    """No byte belongs to both tensors: one is read while the other is written."""
    first = max(one.address, other.address)
    if first < min(one.address + one.nbytes, other.address + other.nbytes):
        raise ValueError(f"{name} and {other_name} both hold address {first:#x}")


def same_or_disjoint(name: str, one: Tensor, other_name: str, other: Tensor) -> None:
    """The tensors have all bytes in common or none: each thread rereads only what it wrote."""
    if (one.address, one.nbytes) != (other.address, other.nbytes):
        disjoint(name, one, other_name, other)


def blocks_for(what: str, threads: int, block: int) -> int:
    """Blocks that cover *threads* threads; ValueError when HIP would refuse as many."""
    blocks = -(-threads // block)
    if blocks * block > MOST_THREADS_LAUNCHED:
        raise ValueError(f"{what} would take {blocks} blocks of {block} threads, beyond 2^32 - 1")
    return blocks


def group_of(query_heads: int, key_heads: int) -> int:
    """Query heads that share a key head; ValueError where they do not come out even."""
    if key_heads < 1 or query_heads % key_heads:
        raise ValueError(f"{query_heads} query heads are no multiple of {key_heads} key heads")
    return query_heads // key_heads


def rows_and_columns(array: ArrayLike) -> tuple[int, int]:
    """The array as a matrix: the last axis are its columns, the others together its rows."""
    if not array.shape:
        raise ValueError("a row-wise kernel needs at least one axis, got a scalar")
    *others, columns = array.shape
    return math.prod(others), columns
