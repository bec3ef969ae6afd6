"""Where the memory of a buffer comes from."""

from __future__ import annotations

from typing import Final, Protocol, final

from hipaudit_runtime.hip import call, hip


class Memory(Protocol):
    """Gives and takes device memory by address."""

    def allocate(self, size: int) -> int:
        """The address of *size* new bytes, at least one; HipError when there are none left."""

    def release(self, address: int, size: int) -> None:
        """Take back what `allocate` gave for that size."""


@final
class DeviceMemory:
    """The device's own memory. To release any waits for the device's work."""

    __slots__ = ()

    def allocate(self, size: int) -> int:
        """The address of *size* new bytes; HipError when there are none left."""
        # hip-python's own handle is dropped: it does not own the memory, and its size is fixed.
        return int(call(hip.hipMalloc, size, detail=f"{size} bytes"))

    def release(self, address: int, size: int) -> None:  # noqa: ARG002 - hipFree knows the size
        """Give memory back to the device."""
        call(hip.hipFree, address)


DEVICE: Final = DeviceMemory()
