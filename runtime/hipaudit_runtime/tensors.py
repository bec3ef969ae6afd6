"""Typed views of device memory, and the scope that owns what a launch needs for its duration."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime import dlpack
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.elements import Elements, row_major, span
from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE, Memory
from hipaudit_runtime.ownership import Owner
from hipaudit_runtime.pinned import pinned_array
from hipaudit_runtime.streams import Stream, current_handle
from hipaudit_runtime.strided import read_view, write_view

_LEGACY_STREAM = 1
"""The array interface's number for the null stream."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array in a buffer. It owns nothing: dropping it frees nothing, and it keeps its buffer.

    buffer   where the elements lie
    shape    elements along each axis
    dtype    of an element
    offset   bytes from the buffer's start to the first element
    strides  elements from one to the next along each axis; left out: row-major, without gaps.
             Kernels take no others: `ops.launch_gather_view` copies a view to a tensor without gaps
    """

    buffer: HipBuffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int = 0
    strides: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a view that leaves its buffer."""
        if not self.strides:
            object.__setattr__(self, "strides", row_major(self.shape))
        if len(self.strides) != len(self.shape):
            raise ValueError(f"strides {self.strides} for the axes of {self.shape}")
        low, high = (
            self.offset + at * self.dtype.itemsize for at in span(self.shape, self.strides)
        )
        if low < 0 or high > self.buffer.size:
            raise DeviceBufferError(f"{high - low} bytes at {low} do not fit into {self.buffer!r}")

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def address(self) -> int:
        """Device address of the first element."""
        return self.buffer.address + self.offset

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie row-major and without gaps."""
        natural = zip(self.shape, self.strides, row_major(self.shape), strict=True)
        return self.size == 0 or all(n == 1 or has == wants for n, has, wants in natural)

    def __getitem__(self, index: Any) -> Tensor:
        """A view, by integers, slices, ``...`` and None as in numpy; IndexError as there."""
        parts = index if isinstance(index, tuple) else (index,)
        for part in parts:
            plain = isinstance(part, (int, np.integer, slice)) and not isinstance(part, bool)
            if not plain and part is not None and part is not ...:
                raise IndexError(f"{part!r} selects no view: take integers, slices, ... or None")
        model = self._model()
        return self._seen(model, model[parts if ... in parts else (*parts, ...)])

    def transpose(self, *axes: int) -> Tensor:
        """A view with the axes in another order; without any, in the opposite one."""
        model = self._model()
        return self._seen(model, model.transpose(*axes))

    def reshape(self, *shape: int) -> Tensor:
        """A view of another shape; ValueError where there is none without a copy."""
        model = self._model()
        if not self.contiguous:
            raise ValueError(f"no view of strides {self.strides} has the shape {shape}")
        return Tensor(self.buffer, model.reshape(shape).shape, self.dtype, self.offset)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The elements for other libraries, by version 3 of the CUDA array interface.

        Their array must keep this tensor, as the protocol asks, and the buffer must not be freed
        before it. Raises AttributeError, as where there is no such thing, for a dtype that numpy
        itself does not have, such as bfloat16, and DeviceBufferError for a freed buffer.
        """
        if self.dtype.kind not in "biuf":
            raise AttributeError(f"{self.dtype} has no type string in the array interface")
        steps = tuple(stride * self.dtype.itemsize for stride in self.strides)
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "strides": None if self.contiguous else steps,
            "stream": int(current_handle() or _LEGACY_STREAM),
            "version": 3,
        }

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule; the memory stays, freed buffer or not, until the other library is done.

        What the current stream has pending is waited for, unless *stream* is -1. Raises BufferError
        for a copy, another device, and a dtype that DLPack does not have.
        """
        device = self.__dlpack_device__()
        if copy or dl_device not in {None, device}:
            raise BufferError(f"a tensor is lent as it is, on device {device}")
        if stream != -1:
            call(hip.hipStreamSynchronize, current_handle())
        versioned = max_version is not None and max_version[0] >= 1
        return dlpack.lend(self._place(), device, versioned=versioned)

    def __dlpack_device__(self) -> tuple[int, int]:
        """DLPack's number for AMD devices, and which of them is current."""
        return dlpack.ROCM, int(call(hip.hipGetDevice))

    @staticmethod
    def from_dlpack(lender: dlpack.Lender) -> Tensor:
        """A tensor in the memory of another library's array on an AMD device, without a copy.

        To free its buffer ends the borrowing. Raises BufferError for memory that is not an AMD
        device's, or read-only, and for types that no tensor has.
        """
        place = dlpack.borrow(lender)
        return Tensor(place.buffer, place.shape, place.dtype, place.offset, place.strides)

    def upload(self, data: npt.NDArray[Any]) -> None:
        """Copy a C-contiguous host array of this shape and dtype into the tensor, and wait."""
        self._require_like(data, "upload")
        if self.contiguous:
            self.buffer.upload(data, self.offset)
        else:
            write_view(self._place(), data)

    def upload_later(self, data: npt.NDArray[Any], stream: Stream) -> None:
        """Have an array of `pinned_array` copied in a stream, and do not wait; into no gaps."""
        self._require_like(data, "upload")
        self._require_contiguous()
        self.buffer.upload_later(data, stream, self.offset)

    def copy_from(self, source: Tensor) -> None:
        """Copy a tensor of this shape and dtype on the device; they do not overlap."""
        self._require_like(source, "copy")
        self._require_contiguous()
        source._require_contiguous()
        self.buffer.copy_from(source.buffer, self.nbytes, self.offset, source.offset)

    def download(self) -> npt.NDArray[Any]:
        """A host copy."""
        if self.contiguous:
            return self.buffer.download(self.shape, self.dtype, self.offset)
        return read_view(self._place())

    def download_later(self, stream: Stream) -> npt.NDArray[Any]:
        """An array of `pinned_array` whose elements are there once the stream is done."""
        self._require_contiguous()
        data = pinned_array(self.shape, self.dtype)
        self.buffer.download_later(data, stream, self.offset)
        return data

    def _place(self) -> Elements:
        return Elements(self.buffer, self.shape, self.dtype, self.offset, self.strides)

    def _model(self) -> npt.NDArray[Any]:
        """A numpy array with these strides whose elements must not be looked at."""
        steps = [stride * self.dtype.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, steps)

    def _seen(self, model: npt.NDArray[Any], view: npt.NDArray[Any]) -> Tensor:
        """The view of this tensor that a view of its model stands for."""
        moved = view.__array_interface__["data"][0] - model.__array_interface__["data"][0]
        steps = tuple(step // self.dtype.itemsize for step in view.strides)
        offset = self.offset + (moved if view.size else 0)  # of nothing, within the buffer
        return Tensor(self.buffer, view.shape, self.dtype, offset, steps)

    def _require_like(self, other: Tensor | npt.NDArray[Any], what: str) -> None:
        if other.shape != self.shape or other.dtype != self.dtype:
            raise ValueError(
                f"{what} of {other.dtype}{list(other.shape)} to {self.dtype}{list(self.shape)}"
            )

    def _require_contiguous(self) -> None:
        if not self.contiguous:
            raise ValueError(f"a view with strides {self.strides} of shape {self.shape} has gaps")


@final
class Scope(Owner):
    """Owns the buffers made in it and frees them at its end, whatever happens in between.

    memory  where they come from: the device, an arena, a stream's pool
    """

    __slots__ = ("_memory", "_stack")

    def __init__(self, memory: Memory = DEVICE) -> None:
        self._memory = memory
        self._stack = ExitStack()

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Tensor:
        """A tensor in a new buffer; its elements are undefined."""
        kind = np.dtype(dtype)
        buffer = self._stack.enter_context(
            HipBuffer(math.prod(shape) * kind.itemsize, self._memory)
        )
        return Tensor(buffer, shape, kind)

    def upload(self, data: npt.NDArray[Any]) -> Tensor:
        """A tensor in a new buffer with the host array's elements."""
        tensor = self.empty(data.shape, data.dtype)
        tensor.upload(data)
        return tensor

    def close(self) -> None:
        """Free all buffers; a second time does nothing."""
        self._stack.close()
