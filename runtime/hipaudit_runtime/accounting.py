"""Who holds how much device memory, and held at most."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import final

from hipaudit_runtime.memory import DEVICE, Memory


@dataclass(frozen=True, slots=True)
class Usage:
    """What one owner did with memory.

    live, peak   bytes held now, and at most at once
    allocations  how often it asked for some
    """

    live: int = 0
    peak: int = 0
    allocations: int = 0


@final
class Accounts:
    """Live bytes and high-water marks by owner. Threads may share it."""

    __slots__ = ("_lock", "_owners")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[str, Usage] = {}

    def of(self, owner: str, memory: Memory = DEVICE) -> Memory:
        """Memory that counts for an owner what it takes from *memory*."""
        return _Counted(self, owner, memory)

    def usage(self) -> dict[str, Usage]:
        """What each owner did; those that hold the most come first."""
        with self._lock:
            found = sorted(self._owners.items(), key=lambda item: (-item[1].live, item[0]))
        return dict(found)

    def _note(self, owner: str, size: int) -> None:
        """An owner took *size* bytes, or gave back as many where it is negative."""
        with self._lock:
            before = self._owners.get(owner, Usage())
            after = replace(before, live=before.live + size)
            if size > 0:
                peak = max(before.peak, after.live)
                after = replace(after, peak=peak, allocations=before.allocations + 1)
            self._owners[owner] = after


@final
@dataclass(frozen=True, slots=True)
class _Counted:
    accounts: Accounts
    owner: str
    memory: Memory

    def allocate(self, size: int) -> int:
        address = self.memory.allocate(size)
        self.accounts._note(self.owner, size)  # noqa: SLF001 - its own accounts
        return address

    def release(self, address: int, size: int) -> None:
        self.memory.release(address, size)
        self.accounts._note(self.owner, -size)  # noqa: SLF001
