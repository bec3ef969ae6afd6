"""Memory that is allocated and freed in the order of a stream, without waiting for it."""

from __future__ import annotations

import ctypes
from typing import Any, final

from hipaudit_runtime.errors import ClosedError, DeviceBufferError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.ownership import Owner
from hipaudit_runtime.streams import Stream


@final
class StreamPool(Owner):
    """A memory pool whose allocations and frees take their place in a stream's work.

    It is a `Memory`: ``Scope(pool)`` takes its tensors from it. Use them in that stream, as inside
    `Stream.current`, or in another that waits for it. Use it as a context manager.

    Raises:
        HipError: no pool could be made.
    """

    __slots__ = ("_handle", "_live", "_stream")

    def __init__(self, stream: Stream, ordinal: int = 0) -> None:
        properties = hip.hipMemPoolProps()
        properties.allocType = hip.hipMemAllocationType.hipMemAllocationTypePinned
        properties.location.type = hip.hipMemLocationType.hipMemLocationTypeDevice
        properties.location.id = ordinal
        self._stream = stream
        self._live = 0
        self._handle = call(hip.hipMemPoolCreate, properties)

    @property
    def live(self) -> bool:
        """Whether the pool is still owned."""
        return self._handle is not None

    @property
    def used(self) -> int:
        """Bytes that are allocated."""
        return self._attribute(hip.hipMemPoolAttr.hipMemPoolAttrUsedMemCurrent)

    @property
    def peak(self) -> int:
        """The most bytes that were allocated at once."""
        return self._attribute(hip.hipMemPoolAttr.hipMemPoolAttrUsedMemHigh)

    def allocate(self, size: int) -> int:
        """The address of *size* bytes, there for what the stream does next."""
        pool, stream = self._require_open(), self._stream.handle
        allocate = hip.hipMallocFromPoolAsync
        address = int(call(allocate, size, pool, stream, detail=f"{size} bytes"))
        self._live += 1
        return address

    def release(self, address: int, size: int) -> None:  # noqa: ARG002 - the pool knows the size
        """Free memory behind all that the stream was given so far."""
        self._require_open()
        call(hip.hipFreeAsync, address, self._stream.handle)
        self._live -= 1

    def close(self) -> None:
        """Wait for the stream and give the pool back.

        Raises DeviceBufferError while buffers of it live, ClosedError a second time.
        """
        handle = self._require_open()
        if self._live:
            raise DeviceBufferError(f"a pool is closed while {self._live} buffers of it live")
        self._stream.synchronise()
        self._handle = None
        call(hip.hipMemPoolDestroy, handle)

    def _require_open(self) -> Any:
        if self._handle is None:
            raise ClosedError("use of a closed pool")
        return self._handle

    def _attribute(self, attribute: Any) -> int:
        value = ctypes.c_uint64()
        call(hip.hipMemPoolGetAttribute, self._require_open(), attribute, ctypes.addressof(value))
        return value.value
