"""The ledger's own functions: what lives, since when, and what to expect of it.

The ledger is the front library that this process's HIP calls go through. `Ledger` is a thin layer
over its C functions; JSON comes back as plain data.
"""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.errors import DeviceError, UsageError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Scoped:
    """What happened between the two ends of a scope.

    since, until  serials: what was made between them lives on when `Ledger.live` still lists it
    peak_bytes    the most live bytes, those from before the scope among them
    start_bytes   live when it began
    """

    name: str
    allocations: int
    frees: int
    bytes: int
    peak_bytes: int
    start_bytes: int
    since: int
    until: int

    @property
    def growth(self) -> int:
        """How far live memory rose above its level at the beginning, in bytes."""
        return max(0, self.peak_bytes - self.start_bytes)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of this process."""

    library: ctypes.CDLL

    @staticmethod
    def of(path: Path) -> Ledger:
        """Load the front library.

        Raises DeviceError when the loader refuses it, or when it is of another version.
        """
        try:
            library = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
            version = int(library.hipaudit_ledger_version())
        except (OSError, AttributeError) as error:
            raise DeviceError(f"the ledger does not load: {error}") from error
        if version != _VERSION:
            raise DeviceError(f"the ledger is of version {version}, not {_VERSION}")
        _declare(library)
        return Ledger(library)

    def set(self, key: str, value: str) -> bool:
        """Change a setting: mode, stacks, depth, leaks, redzone, quarantine, fail, journal."""
        return bool(self.library.hipaudit_ledger_set(key.encode(), value.encode()) == 0)

    def snapshot(self) -> int:
        """Return a serial: everything that is made later has a greater one."""
        return int(self.library.hipaudit_ledger_snapshot())

    def live(self, since: int = 0, until: int = 0) -> list[dict[str, Any]]:
        """Return what was made after *since* and up to *until* (0: now) and lives, oldest first.

        At most 1,000 entries: name, kind, serial, address, size, device, stream, thread, born
        (a stack), call, expected.
        """
        items: list[dict[str, Any]] = self._json(self.library.hipaudit_ledger_live(since, until))[
            "items"
        ]
        return items

    def scope_begin(self, name: str) -> int:
        """Begin to count; return the scope's number for `scope_end`."""
        return int(self.library.hipaudit_ledger_scope_begin(name.encode()))

    def scope_end(self, number: int) -> Scoped:
        """Return what happened since `scope_begin`."""
        data = self._json(self.library.hipaudit_ledger_scope_end(number))
        return Scoped(**{name: data[name] for name in Scoped.__dataclass_fields__})

    def expect(self, address: int, reason: str) -> bool:
        """Declare that a live allocation or resource is no leak; False when none is there."""
        return bool(self.library.hipaudit_ledger_expect(address, reason.encode()) == 0)

    def expect_site(self, file_suffix: str, line: int, reason: str) -> None:
        """Declare that what is made through a line of a file is no leak; line 0: any line."""
        self.library.hipaudit_ledger_expect_site(file_suffix.encode(), line, reason.encode())

    def budget(self, size: int) -> None:
        """Let allocations beyond *size* live bytes fail as out of memory; 0: no limit."""
        self.library.hipaudit_ledger_budget(size)

    def fail(self, number: int, what: str = "allocations") -> None:
        """Let one call fail as out of memory, the *number*-th from now on; 0: none.

        *what* is counted: allocations, launches, copies (fills too) or streams (events too).
        Raises UsageError for anything else.
        """
        if not self.set("fail", f"{what}:{number}"):
            raise UsageError(f"{what!r} cannot be made to fail: allocations, launches, copies or "
                             "streams can")  # fmt: skip

    def asked(self) -> int:
        """Return how many such calls there were since `fail` said which is to fail."""
        return int(self.library.hipaudit_ledger_asked())

    def report(self) -> dict[str, Any]:
        """Return the memory, copies and synchronisations records of this moment."""
        found: dict[str, Any] = self._json(self.library.hipaudit_ledger_report())
        return found

    def findings(self) -> int:
        """Return how many findings there were, leaks not among them."""
        return int(self.library.hipaudit_ledger_findings())

    def check(self) -> None:
        """Look at the red zones of live memory now."""
        self.library.hipaudit_ledger_check()

    def flush(self) -> None:
        """Have the records of this moment written to the journal."""
        self.library.hipaudit_ledger_flush()

    def _json(self, answer: int | None) -> Any:
        if not answer:
            raise DeviceError("the ledger gave no answer")
        try:
            return json.loads(ctypes.string_at(answer))
        finally:
            self.library.hipaudit_ledger_free(ctypes.c_void_p(answer))


def _declare(library: ctypes.CDLL) -> None:
    """Give the functions their C types."""
    text, number, serial = ctypes.c_char_p, ctypes.c_int, ctypes.c_uint64
    # A returned text is given back: it must stay a pointer.
    owned = ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "set": (number, [text, text]),
        "snapshot": (serial, []),
        "live": (owned, [serial, serial]),
        "scope_begin": (number, [text]),
        "scope_end": (owned, [number]),
        "expect": (number, [serial, text]),
        "expect_site": (number, [text, number, text]),
        "budget": (number, [serial]),
        "asked": (serial, []),
        "report": (owned, []),
        "findings": (serial, []),
        "check": (None, []),
        "flush": (None, []),
        "free": (None, [ctypes.c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, f"hipaudit_ledger_{name}")
        function.restype, function.argtypes = result, arguments
