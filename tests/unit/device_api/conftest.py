"""The emulated device's C functions, called through ctypes: what every hip-python version calls."""

from __future__ import annotations

import ctypes
import dataclasses
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hipaudit import device as devices
from hipaudit import native_build

Finding = dict[str, Any]

PROGRAM = """
import ctypes
from hip import hip

library = ctypes.CDLL("libamdhip64.so")

def malloc(size):
    pointer = ctypes.c_void_p()
    status = library.hipMalloc(ctypes.byref(pointer), ctypes.c_size_t(size))
    assert status == 0, status
    return pointer.value

def free(address):
    return library.hipFree(ctypes.c_void_p(address))
"""


_LEDGER = {"ledger": "on", "ledger_leaks": "off"}
"""The device is under test here, and not what the programs leave behind."""


@dataclasses.dataclass(frozen=True, slots=True)
class Emulated:
    """HIP's functions and the device's own."""

    library: ctypes.CDLL
    control: devices.Control

    def set(self, key: str, value: str) -> None:
        """Change a setting of the device."""
        assert self.control.set(key, value)

    def malloc(self, size: int) -> int:
        """Return the address of a new buffer."""
        pointer = ctypes.c_void_p()
        assert self.library.hipMalloc(ctypes.byref(pointer), ctypes.c_size_t(size)) == 0
        assert pointer.value is not None
        return pointer.value

    def free(self, address: int) -> int:
        """Return the status of hipFree."""
        status: int = self.library.hipFree(ctypes.c_void_p(address))
        return status

    def run(self, program: str, journal: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a Python program on the device in a process of its own; findings go to stderr."""
        settings = {"journal": "" if journal is None else str(journal)}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM + textwrap.dedent(program)],
            env=devices.child_environment("emulated", {**_LEDGER, **settings}),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@pytest.fixture(scope="session")
def emulated() -> Emulated:
    bound = devices.bind("emulated")
    assert bound.control is not None
    front = native_build.device_libraries().front
    return Emulated(ctypes.CDLL(str(front)), bound.control)


@pytest.fixture
def findings(emulated: Emulated, tmp_path: Path) -> Iterator[Callable[[], list[Finding]]]:
    """What the device has reported since the test began."""
    path = tmp_path / "journal.jsonl"
    before = devices.bind("emulated").journal
    emulated.set("journal", str(path))

    def read() -> list[Finding]:
        return [record for record in devices.read_journal(path) if record["record"] == "finding"]

    yield read
    emulated.set("journal", str(before))


@pytest.fixture
def no_findings(findings: Callable[[], list[Finding]]) -> Iterator[None]:
    """A test that must not be accused of anything."""
    yield
    assert findings() == []
