"""Device memory with one owner."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.hip import call, hip

_TWO_OWNERS = (
    "a HipBuffer is the one owner of its device memory: a second would free it twice; "
    "use deep_copy() for a copy of the memory"
)


@final
class HipBuffer:
    """Bytes of device memory, freed exactly once.

    Use it as a context manager or call `free`; one that is forgotten is freed by the garbage
    collector with a ResourceWarning. A buffer of 0 bytes has no memory and the address 0.

    Raises:
        ValueError: *size* is negative.
        HipError: out of device memory.
    """

    __slots__ = ("_address", "_gone", "_size")

    def __init__(self, size: int) -> None:
        self._gone = "never made"
        if size < 0:
            raise ValueError(f"a buffer of {size} bytes")
        self._size = size
        # hip-python's own handle is dropped: it does not own the memory, and its size is fixed.
        self._address = int(call(hip.hipMalloc, size, detail=f"{size} bytes")) if size else 0
        self._gone = ""

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
        """Give the memory back; DeviceBufferError when that was done before."""
        self._require_live()
        self._gone = "freed"
        if self._address:
            call(hip.hipFree, self._address)

    def move(self) -> HipBuffer:
        """A new handle that owns the memory from now on; this one owns nothing any more.

        Tensors in this buffer hold this handle, and refuse as it does.
        """
        self._require_live()
        owner = HipBuffer(0)
        owner._address, owner._size = self._address, self._size
        self._gone = "moved"
        return owner

    def upload(self, data: npt.NDArray[Any], offset: int = 0) -> None:
        """Copy a C-contiguous host array to *offset* bytes into the buffer, and wait for it."""
        self._require_range(offset, data.nbytes, "write")
        if not data.flags.c_contiguous:
            raise ValueError(f"upload needs a C-contiguous array, its strides are {data.strides}")
        if data.nbytes:
            kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
            call(hip.hipMemcpy, self._address + offset, data.ctypes.data, data.nbytes, kind)

    def download(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, offset: int = 0
    ) -> npt.NDArray[Any]:
        """Copy elements from *offset* bytes into the buffer to a new host array, and wait."""
        data = np.empty(shape, dtype)
        self._require_range(offset, data.nbytes, "read")
        if data.nbytes:
            kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
            call(hip.hipMemcpy, data.ctypes.data, self._address + offset, data.nbytes, kind)
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
            call(hip.hipMemcpy, self._address + offset, source_address, count, kind)

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

    def _require_live(self) -> None:
        if self._gone:
            raise DeviceBufferError(f"use of a {self._gone} buffer: {self!r}")

    def _require_range(self, offset: int, count: int, what: str) -> None:
        self._require_live()
        if offset < 0 or count < 0 or offset + count > self._size:
            raise DeviceBufferError(
                f"{what} of bytes {offset} to {offset + count} of a buffer of {self._size}"
            )
