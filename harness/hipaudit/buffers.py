"""The buffers of one launch: allocated, filled, fetched and freed together."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hipaudit import arguments
from hipaudit.arguments import Argument
from hipaudit.errors import UsageError
from hipaudit.hipcalls import HipCallError, call, hip

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Buffers:
    """Arguments and the device addresses of those that are buffers; 0 for the others."""

    given: tuple[Argument, ...]
    addresses: tuple[int, ...]

    def values(self) -> tuple[Any, ...]:
        """Return what the kernel gets: addresses and values, as ctypes."""
        return tuple(
            ctypes.c_void_p(address) if argument.is_buffer else _value(argument)
            for argument, address in zip(self.given, self.addresses, strict=True)
        )

    def fetch(self, index: int) -> Array:
        """Return what buffer *index* holds now; HipCallError when it cannot be copied."""
        argument = self.given[index]
        data = np.empty(argument.count or 0, argument.dtype)
        if data.nbytes:
            kind = hip().hipMemcpyKind.hipMemcpyDeviceToHost
            call(hip().hipMemcpy, data.ctypes.data, self.addresses[index], data.nbytes, kind)
        return data


@contextmanager
def filled(given: Sequence[Argument], seed: int) -> Iterator[Buffers]:
    """Yield the arguments' buffers, filled as they say, and free them at the end.

    Raises UsageError when the device has no memory for one.
    """
    addresses: list[int] = []
    try:
        for index, argument in enumerate(given):
            addresses.append(_allocated(argument))
            if argument.is_buffer:
                _upload(addresses[-1], arguments.contents(argument, seed, index))
        yield Buffers(tuple(given), tuple(addresses))
    finally:
        for address in filter(None, addresses):
            hip().hipFree(address)


def _allocated(argument: Argument) -> int:
    size = (argument.count or 0) * argument.dtype.itemsize if argument.is_buffer else 0
    if not size:
        return 0
    try:
        return int(call(hip().hipMalloc, size))
    except HipCallError as error:
        raise UsageError(f"--arg {argument.text!r}: no memory for {size:,} bytes") from error


def _upload(address: int, data: Array | None) -> None:
    if data is not None and data.nbytes:
        kind = hip().hipMemcpyKind.hipMemcpyHostToDevice
        call(hip().hipMemcpy, address, data.ctypes.data, data.nbytes, kind)


def _value(argument: Argument) -> Any:
    """Return a scalar as ctypes passes it: with the size and alignment of its type."""
    sized = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
    if argument.type == "hex":
        return (ctypes.c_uint8 * len(argument.value)).from_buffer_copy(argument.value)
    return sized[len(argument.value)](int.from_bytes(argument.value, "little"))
