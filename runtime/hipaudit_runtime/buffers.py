"""Device memory with one owner."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE, Memory
from hipaudit_runtime.pinned import is_pinned
from hipaudit_runtime.streams import Stream, current, current_handle

_TWO_OWNERS = (
    "a HipBuffer is the one owner of its device memory: a second would free it twice; "
    "use deep_copy() for a copy of the memory"
)


@final
class HipBuffer:
    """Bytes of device memory, freed exactly once.

    Use it as a context manager or call `free`; one that is forgotten is freed by the garbage
    collector with a ResourceWarning. A buffer of 0 bytes has no memory and the address 0.
    Copies go to the current stream; those with a host array wait until they are done.

    size    bytes
    memory  where they come from, and go back to

    Raises:
        ValueError: *size* is negative.
        HipError: out of device memory.
        ArenaFullError: out of the arena that *memory* is.
    """

    __slots__ = ("_address", "_borrowed", "_gone", "_memory", "_size")

    def __init__(self, size: int, memory: Memory = DEVICE) -> None:
        self._gone = "never made"
        if size < 0:
            raise ValueError(f"a buffer of {size} bytes")
        self._size = size
        self._memory = memory
        self._borrowed = 0
        self._address = memory.allocate(size) if size else 0
        self._gone = ""

    @classmethod
    def adopt(cls, address: int, size: int, memory: Memory) -> HipBuffer:
        """The owner of memory that exists; *memory* takes it back in the end."""
        owner = cls(0, memory)
        owner._address, owner._size = address, size
        return owner

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    @property
    def address(self) -> int:
        """The device address; DeviceBufferError when freed or moved."""
        self._require_live()
        return self._address

    @property
    def live(self) -> bool:
        """Whether the memory is still owned."""
        return not self._gone

    def free(self) -> None:
        """Give the memory back; DeviceBufferError when that was done before.

        While another library borrows it, that happens when the last of them is done with it.
        """
        self._require_live()
        self._gone = "freed"
        if not self._borrowed:
            self._release()

    def borrow(self) -> int:
        """The address, for another library: the memory stays until `give_back` is called."""
        address = self.address
        self._borrowed += 1
        return address

    def give_back(self) -> None:
        """End a borrowing; DeviceBufferError when there is none."""
        if not self._borrowed:
            raise DeviceBufferError(f"nobody borrows {self!r}")
        self._borrowed -= 1
        if self._gone and not self._borrowed:
            self._release()

    def move(self) -> HipBuffer:
        """A new handle that owns the memory from now on; this one owns nothing any more.

        Tensors in this buffer hold this handle, and refuse as it does. DeviceBufferError while
        another library borrows the memory.
        """
        self._require_live()
        if self._borrowed:
            raise DeviceBufferError(f"another library borrows {self!r}")
        owner = HipBuffer.adopt(self._address, self._size, self._memory)
        self._gone = "moved"
        return owner

    def upload(self, data: npt.NDArray[Any], offset: int = 0) -> None:
        """Copy a C-contiguous host array to *offset* bytes into the buffer, and wait for it."""
        self._require_range(offset, data.nbytes, "write")
        if not data.flags.c_contiguous:
            raise ValueError(f"upload needs a C-contiguous array, its strides are {data.strides}")
        if data.nbytes:
            kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
            _copy(self._address + offset, data.ctypes.data, data.nbytes, kind)

    def upload_later(self, data: npt.NDArray[Any], stream: Stream, offset: int = 0) -> None:
        """Have a C-contiguous array of `pinned_array` copied in a stream, and do not wait.

        The stream holds the array; its elements must not change before the copy is done.
        """
        self._require_range(offset, data.nbytes, "write")
        self._later(self._address + offset, data.ctypes.data, data, stream, "HostToDevice")

    def download_later(self, data: npt.NDArray[Any], stream: Stream, offset: int = 0) -> None:
        """Have bytes copied into a C-contiguous array of `pinned_array`, and do not wait.

        The stream holds the array; its elements are defined once the stream is done.
        """
        self._require_range(offset, data.nbytes, "read")
        self._later(data.ctypes.data, self._address + offset, data, stream, "DeviceToHost")

    def download(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, offset: int = 0
    ) -> npt.NDArray[Any]:
        """Copy elements from *offset* bytes into the buffer to a new host array, and wait."""
        data = np.empty(shape, dtype)
        self._require_range(offset, data.nbytes, "read")
        if data.nbytes:
            kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
            _copy(data.ctypes.data, self._address + offset, data.nbytes, kind)
        return data

    def deep_copy(self) -> HipBuffer:
        """A new buffer with memory of its own and the same bytes in it."""
        self._require_live()
        twin = HipBuffer(self._size)
        twin.copy_from(self, self._size)
        return twin

    def copy_from(
        self, source: HipBuffer, count: int, offset: int = 0, source_offset: int = 0
    ) -> None:
        """Copy bytes on the device; within one buffer, from and to ranges that do not overlap."""
        self._require_range(offset, count, "write")
        source._require_range(source_offset, count, "read")
        if source is self and abs(offset - source_offset) < count:
            raise ValueError(f"copy of {count} bytes from {source_offset} to {offset} in a buffer")
        if count:
            kind = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
            source_address = source.address + source_offset
            target = self._address + offset
            if current() is None:
                call(hip.hipMemcpy, target, source_address, count, kind)
            else:
                call(hip.hipMemcpyAsync, target, source_address, count, kind, current_handle())

    def __enter__(self) -> HipBuffer:
        self._require_live()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.free()

    def __copy__(self) -> NoReturn:
        raise TypeError(_TWO_OWNERS)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError(_TWO_OWNERS)

    def __reduce__(self) -> NoReturn:
        raise TypeError(_TWO_OWNERS)

    def __repr__(self) -> str:
        state = self._gone or f"at {self._address:#x}"
        return f"<HipBuffer of {self._size} bytes, {state}>"

    def __del__(self) -> None:
        if self.live and self._address:
            warnings.warn(f"never freed: {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.free()

    def _release(self) -> None:
        if self._address:
            self._memory.release(self._address, self._size)

    @staticmethod
    def _later(target: int, source: int, data: npt.NDArray[Any], stream: Stream, kind: str) -> None:
        if not data.flags.c_contiguous or not is_pinned(data):
            raise ValueError(
                f"a {data.dtype}{list(data.shape)} array that is not C-contiguous in pinned "
                "memory: the host would wait for its copy; make it with pinned_array()"
            )
        if data.nbytes:
            direction = getattr(hip.hipMemcpyKind, f"hipMemcpy{kind}")
            stream.hold(data)
            call(hip.hipMemcpyAsync, target, source, data.nbytes, direction, stream.handle)

    def _require_live(self) -> None:
        if self._gone:
            raise DeviceBufferError(f"use of a {self._gone} buffer: {self!r}")

    def _require_range(self, offset: int, count: int, what: str) -> None:
        self._require_live()
        if offset < 0 or count < 0 or offset + count > self._size:
            raise DeviceBufferError(
                f"{what} of bytes {offset} to {offset + count} of a buffer of {self._size}"
            )


def _copy(target: int, source: int, size: int, kind: Any) -> None:
    """Copy in the current stream, and wait."""
    if current() is None:
        call(hip.hipMemcpy, target, source, size, kind)
    else:
        call(hip.hipMemcpyWithStream, target, source, size, kind, current_handle())
