"""Typed views of device memory, and the scope that owns what a launch needs for its duration."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import DeviceBufferError


@dataclass(frozen=True, slots=True)
class Tensor:
    """A row-major, contiguous array in a buffer. It owns nothing: dropping it frees nothing.

    buffer  where the elements lie
    shape   elements along each axis
    dtype   of an element
    offset  bytes from the buffer's start to the first element
    """

    buffer: HipBuffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int = 0

    def __post_init__(self) -> None:
        """Refuse a view that leaves its buffer."""
        if self.offset < 0 or self.offset + self.nbytes > self.buffer.size:
            raise DeviceBufferError(
                f"{self.nbytes} bytes at {self.offset} do not fit into {self.buffer!r}"
            )

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes."""
        return self.size * self.dtype.itemsize

    @property
    def address(self) -> int:
        """Device address of the first element."""
        return self.buffer.address + self.offset

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The elements for other libraries, by version 3 of the CUDA array interface.

        Their array must keep this tensor, as the protocol asks, and the buffer must not be freed
        before it. Raises AttributeError, as where there is no such thing, for a dtype that numpy
        itself does not have, such as bfloat16, and DeviceBufferError for a freed buffer.
        """
        if self.dtype.kind not in "biuf":
            raise AttributeError(f"{self.dtype} has no type string in the array interface")
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "strides": None,
            "version": 3,
        }

    def upload(self, data: npt.NDArray[Any]) -> None:
        """Copy a host array of this shape and dtype into the tensor."""
        if data.shape != self.shape or data.dtype != self.dtype:
            raise ValueError(
                f"upload of {data.dtype}{list(data.shape)} to {self.dtype}{list(self.shape)}"
            )
        self.buffer.upload(data, self.offset)

    def copy_from(self, source: Tensor) -> None:
        """Copy a tensor of this shape and dtype on the device; they do not overlap."""
        if source.shape != self.shape or source.dtype != self.dtype:
            raise ValueError(
                f"copy of {source.dtype}{list(source.shape)} to {self.dtype}{list(self.shape)}"
            )
        self.buffer.copy_from(source.buffer, self.nbytes, self.offset, source.offset)

    def download(self) -> npt.NDArray[Any]:
        """A host copy."""
        return self.buffer.download(self.shape, self.dtype, self.offset)


@final
class Scope:
    """Owns the buffers made in it and frees them at its end, whatever happens in between."""

    __slots__ = ("_stack",)

    def __init__(self) -> None:
        self._stack = ExitStack()

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Tensor:
        """A tensor in a new buffer; its elements are undefined."""
        kind = np.dtype(dtype)
        buffer = self._stack.enter_context(HipBuffer(math.prod(shape) * kind.itemsize))
        return Tensor(buffer, shape, kind)

    def upload(self, data: npt.NDArray[Any]) -> Tensor:
        """A tensor in a new buffer with the host array's elements."""
        tensor = self.empty(data.shape, data.dtype)
        tensor.upload(data)
        return tensor

    def __enter__(self) -> Scope:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free all buffers; a second time does nothing."""
        self._stack.close()
