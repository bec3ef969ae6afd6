"""Memory for the short lives of a step: one allocation, handed out by moving a mark."""

from __future__ import annotations

from typing import final

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import ArenaFullError, DeviceBufferError
from hipaudit_runtime.memory import DEVICE, Memory
from hipaudit_runtime.ownership import Owner

_ALIGNMENT = 256
"""What HIP aligns allocations to."""


@final
class Arena(Owner):
    """A buffer that others are cut from, by moving a mark up; use it as a context manager.

    It is a `Memory`: ``Scope(arena)`` takes its tensors from it. What is given back at the top
    lowers the mark to the highest that lives, so scopes that end in the order of a stack leave it
    empty. For work in one stream, and one thread: memory is handed out again without waiting.

    Raises:
        ValueError: *capacity* is negative.
        HipError: out of device memory.
    """

    __slots__ = ("_buffer", "_live", "_peak")

    def __init__(self, capacity: int, memory: Memory = DEVICE) -> None:
        self._buffer = HipBuffer(capacity, memory)
        self._live: dict[int, int] = {}
        self._peak = 0

    @property
    def live(self) -> bool:
        """Whether the memory is still owned."""
        return self._buffer.live

    @property
    def capacity(self) -> int:
        """Bytes in all."""
        return self._buffer.size

    @property
    def used(self) -> int:
        """Bytes below the mark."""
        return max((start + size for start, size in self._live.items()), default=0)

    @property
    def peak(self) -> int:
        """The most bytes that were below the mark."""
        return self._peak

    def allocate(self, size: int) -> int:
        """The address of *size* bytes above the mark; ArenaFullError with all as it was."""
        start = -(-self.used // _ALIGNMENT) * _ALIGNMENT
        if size > self.capacity - start:
            raise ArenaFullError(size, max(0, self.capacity - start), self.capacity)
        address = self._buffer.address + start
        self._live[start] = size
        self._peak = max(self._peak, start + size)
        return address

    def release(self, address: int, size: int) -> None:
        """Take back what `allocate` gave; DeviceBufferError for anything else."""
        start = address - self._buffer.address
        if self._live.get(start) != size:
            raise DeviceBufferError(f"{size} bytes at {address:#x} are not of this arena")
        del self._live[start]

    def close(self) -> None:
        """Give the memory back; DeviceBufferError while buffers of it live, or a second time."""
        if self._live:
            raise DeviceBufferError(
                f"an arena is closed while {len(self._live)} buffers of it live: free them, or end "
                "their scope"
            )
        self._buffer.free()
