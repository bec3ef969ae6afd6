"""Binding a process to the device that answers its HIP calls.

hip-python opens ``libamdhip64`` at its first call, so the choice is made before that: for the
emulated device, ``ROCM_PATH`` names our folder and our front library is already loaded, which
every version of hip-python accepts as it stands. A process is bound once; that binding is the
one piece of global state in the harness.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hipaudit import hipcalls, native_build, rocm
from hipaudit.adversary import Adversary
from hipaudit.errors import DeviceError, UsageError
from hipaudit.ledger import Ledger

ARCHES = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201")
"""The parts the emulated device presents itself as."""

DEFAULT_ARCH = "gfx942"
CHOICES = ("emulated", "rocm")


@dataclass(frozen=True, slots=True)
class Control:
    """The emulated device's own functions, beside HIP's."""

    library: ctypes.CDLL

    def set(self, key: str, value: str) -> bool:
        """Change a setting; False when the library does not know it or refuses the value."""
        return bool(self.library.hipaudit_set(key.encode(), value.encode()) == 0)

    def flush(self) -> None:
        """Have the launch records appended to the journal."""
        self.library.hipaudit_flush()

    def checkers(self) -> tuple[str, ...]:
        """Return the access checks that this library's checked build makes; none: it has none."""
        if not hasattr(self.library, "hipaudit_checkers"):
            return ()
        self.library.hipaudit_checkers.restype = ctypes.c_char_p
        listed = self.library.hipaudit_checkers() or b""
        return tuple(name for name in listed.decode().split(",") if name)

    def describe(self, module: int) -> list[dict[str, Any]]:
        """Return the kernels of a loaded module, with their parameters."""
        answer = self.library.hipaudit_describe(ctypes.c_void_p(module))
        kernels: list[dict[str, Any]] = json.loads(answer.decode()) if answer else []
        return kernels

    def objects(self) -> tuple[Path, ...]:
        """Return the object files of all loaded modules."""
        return tuple(map(Path, self.library.hipaudit_objects().decode().split("\n")[:-1]))

    @staticmethod
    def of(path: Path) -> Control:
        """Load the library of the emulated device; DeviceError when the loader refuses it."""
        try:
            library = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise DeviceError(f"the emulated device does not load: {error}") from error
        library.hipaudit_set.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        library.hipaudit_describe.restype = ctypes.c_char_p
        library.hipaudit_objects.restype = ctypes.c_char_p
        library.hipaudit_flush.restype = None
        return Control(library)


@dataclass(frozen=True, slots=True, repr=False)
class Device:
    """The device that this process's HIP calls reach.

    choice     emulated or rocm
    arch       the part, such as gfx942
    wave_size  threads in a wave
    name       as the device's properties say
    control    the emulated device's own functions; None on rocm
    journal    where the device and the ledger append what they see
    ledger     the ledger that the calls go through
    """

    choice: str
    arch: str
    wave_size: int
    name: str
    control: Control | None = None
    journal: Path | None = None
    ledger: Ledger | None = None
    ordinal: int = 0

    def __repr__(self) -> str:
        """Return it in a line: it stands among the arguments of every failing test."""
        return f"<{self.title}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's protocol
        """Print it so for Hypothesis, which spells dataclasses out."""
        printer.text(repr(self))

    @property
    def title(self) -> str:
        """What headers, reports and artifacts call it."""
        kind = "emulated device" if self.choice == "emulated" else "ROCm device"
        return f"{kind} {self.arch} ({self.name}, wave {self.wave_size})"

    def with_arch(self, arch: str) -> Device:
        """Return this device as another part.

        Raises UsageError when the emulated device has no such part, or when a real one, which
        cannot change, is another.
        """
        if self.control is None:
            if arch != self.arch:
                raise UsageError(f"the ROCm device is a {self.arch}, not a {arch}")
            return self
        if not self.control.set("arch", arch):
            raise UsageError(f"no part is called {arch!r}; there are {', '.join(ARCHES)}")
        found = hipcalls.properties(self.ordinal)
        return replace(
            self, arch=arch, wave_size=int(found.warpSize), name=hipcalls.text(found.name)
        )

    def with_build(self, build: str) -> bool:
        """Compile kernels as *build* from now on: plain or checked; False when it cannot."""
        if self.control is None or (build == "checked" and not self.control.checkers()):
            return False
        return self.control.set("build", build)

    def with_poison(self, byte: int = 0xFF) -> bool:
        """Fill fresh device memory with *byte* from now on; False when it cannot.

        The default is `compare.POISON_BYTE`.
        """
        return self.control is not None and self.control.set("poison", f"{byte:02x}")

    def with_adversary(self, adversary: Adversary) -> bool:
        """Use the freedoms of a device against kernels from now on; False when it cannot."""
        if self.control is None:
            return False
        ordered = self.control.set("order_seed", str(adversary.order))
        return self.control.set("adversarial", adversary.words) and ordered

    @contextmanager
    def aside(self, **settings: str) -> Iterator[list[dict[str, Any]]]:
        """Run what is inside under settings, apart: its records go to the list that is yielded.

        They are there afterwards, when the settings are empty again. On rocm there are none.
        """
        records: list[dict[str, Any]] = []
        if self.control is None:
            yield records
            return
        self.control.flush()
        with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
            journal = Path(folder) / "journal.jsonl"
            for name, value in settings.items():
                self.control.set(name, value)
            self._write_to(journal)
            try:
                yield records
            finally:
                self.control.flush()
                for name in settings:
                    self.control.set(name, "")
                self._write_to(self.journal)
                records += read_journal(journal)

    def _write_to(self, journal: Path | None) -> None:
        """Have the device and the ledger append what they see to a journal."""
        for part in (self.control, self.ledger):
            if part is not None:
                part.set("journal", str(journal or ""))

    def synchronise(self) -> None:
        """Wait for all work; the status of work that failed is left to the journal."""
        hipcalls.hip().hipDeviceSynchronize()

    def journal_size(self) -> int:
        """Bytes in the journal: more than before means a new finding."""
        if self.journal is None or not self.journal.exists():
            return 0
        return self.journal.stat().st_size

    def records_since(self, offset: int) -> list[dict[str, Any]]:
        """Return the journal's records from byte *offset* on, launches included."""
        if self.journal is None:
            return []
        if self.control is not None:
            self.control.flush()
        return read_journal(self.journal, offset)


def read_journal(path: Path, offset: int = 0) -> list[dict[str, Any]]:
    """Return the records of a journal from byte *offset* on.

    A last line that a dying process left unfinished is dropped; so is one that is no JSON.
    """
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(offset)
        return list(_records(file.read()))


def _records(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def choose(choice: str | None = None) -> str:
    """Return the device to use: *choice*, else HIPAUDIT_DEVICE, else a real GPU if there is one.

    Raises UsageError for a device we do not have.
    """
    wanted = choice or os.environ.get("HIPAUDIT_DEVICE") or ""
    if not wanted:
        return "rocm" if rocm_answers() else "emulated"
    if wanted not in CHOICES:
        raise UsageError(f"no device is called {wanted!r}; there are {' and '.join(CHOICES)}")
    return wanted


@functools.cache
def rocm_answers() -> bool:
    """Tell whether a real AMD GPU answers; asked in a child, to leave this process unbound."""
    if not Path("/dev/kfd").exists():
        return False
    script = "from hipaudit import hipcalls; raise SystemExit(hipcalls.device_count() == 0)"
    try:
        probe = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


_bound: Device | None = None


def bind(
    choice: str | None = None, arch: str | None = None, *, journal: Path | None = None
) -> Device:
    """Bind this process to a device and return it, as *arch* where that can be chosen.

    choice   emulated, rocm or None, as in `choose`; rocm never falls back
    journal  where the emulated device appends its findings; by default a temporary file

    Raises DeviceError when no AMD GPU answers, or when the process is bound otherwise;
    ToolchainError when the device library cannot be built; UsageError for an unknown part.
    """
    global _bound  # noqa: PLW0603 - the binding is a fact about the process
    wanted = choose(choice)
    if _bound is None:
        _bound = _bind_emulated(journal) if wanted == "emulated" else _bind_rocm(journal)
    elif _bound.choice != wanted:
        raise DeviceError(f"this process is bound to the {_bound.choice} device already")
    elif journal is not None and journal != _bound.journal:
        if _bound.control is not None:
            _bound.control.set("journal", str(journal))
        if _bound.ledger is not None:
            _bound.ledger.set("journal", str(journal))
        _bound = replace(_bound, journal=journal)
    if arch is not None:
        _bound = _bound.with_arch(arch)
    return _bound


def bound() -> Device | None:
    """Return the device that this process is bound to; None when it is not bound."""
    return _bound


def _bind_emulated(journal: Path | None) -> Device:
    """Load our libraries before hip-python looks for AMD's."""
    libraries = native_build.device_libraries()
    _require_unbound(libraries.front)
    os.environ["ROCM_PATH"] = str(libraries.folder)
    control = Control.of(libraries.emulated)
    ledger = Ledger.of(libraries.front)
    ctypes.CDLL(str(libraries.hiprtc), mode=ctypes.RTLD_GLOBAL)
    journal = journal or _own_journal()
    control.set("journal", str(journal))
    ledger.set("journal", str(journal))
    unnamed = Device("emulated", DEFAULT_ARCH, 64, "", control, journal, ledger)
    return unnamed.with_arch(os.environ.get("HIPAUDIT_ARCH") or DEFAULT_ARCH)


def _own_journal() -> Path:
    """Return where this process's findings go when nobody asked for a place."""
    inherited = os.environ.get("HIPAUDIT_JOURNAL")
    if inherited:
        return Path(inherited)
    folder = tempfile.TemporaryDirectory(prefix="hipaudit-")
    _kept.append(folder)
    return Path(folder.name) / "journal.jsonl"


_kept: list[tempfile.TemporaryDirectory[str]] = []
"""Temporary folders that live as long as the process."""


def _require_unbound(front: Path) -> None:
    """Refuse to bind beneath a HIP library that is already loaded, unless *front* is above it."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    loaded = {line.rpartition(" ")[2] for line in maps.splitlines() if "libamdhip64" in line}
    if loaded and str(front) not in loaded:
        raise DeviceError(
            f"{min(loaded)} is loaded already: bind the device before the first HIP call"
        )


def _bind_rocm(journal: Path | None) -> Device:
    """Use the GPU that HIP finds, below the ledger; an absent one is an error, never a fallback."""
    below = rocm.library()
    if below is None:
        raise DeviceError("no AMD GPU answers: no libamdhip64.so is installed; set ROCM_PATH")
    front = native_build.ledger_for(below)
    _require_unbound(front)
    os.environ["ROCM_PATH"] = str(front.parent.parent)
    ledger = Ledger.of(front)
    journal = journal or _own_journal()
    ledger.set("journal", str(journal))
    try:
        count = hipcalls.device_count()
    except (DeviceError, RuntimeError, OSError) as error:
        raise DeviceError(f"no AMD GPU answers: {error}") from error
    if count == 0:
        raise DeviceError("no AMD GPU answers: HIP sees no device")
    found = hipcalls.properties(0)
    arch = hipcalls.text(found.gcnArchName).split(":")[0]
    name = hipcalls.text(found.name)
    return Device("rocm", arch, int(found.warpSize), name, journal=journal, ledger=ledger)


def settings_environment(choice: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child of ours, which binds the device itself.

    *settings* are the emulated device's: arch, build, workers, timeout, journal, order_seed,
    adversarial.
    """
    child = dict(os.environ)
    child["HIPAUDIT_DEVICE"] = choice
    # What such a child keeps to its end is ours, and none of what is under audit.
    child["HIPAUDIT_LEDGER_LEAKS"] = "off"
    child |= _as_variables(settings)
    return child


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"HIPAUDIT_{key.upper()}": value for key, value in settings.items()}


def child_environment(choice: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which any program's HIP calls reach the chosen device."""
    child = dict(os.environ) | {"HIPAUDIT_DEVICE": choice} | _as_variables(settings)
    if choice == "emulated":
        libraries = native_build.device_libraries()
        child["ROCM_PATH"] = str(libraries.folder)
        _put_first(child, "LD_LIBRARY_PATH", str(libraries.front.parent))
        _put_first(child, "LD_PRELOAD", f"{libraries.front}:{libraries.hiprtc}")
    elif (below := rocm.library()) is not None:
        front = native_build.ledger_for(below)
        child["ROCM_PATH"] = str(front.parent.parent)
        _put_first(child, "LD_LIBRARY_PATH", str(front.parent))
        _put_first(child, "LD_PRELOAD", str(front))
    return child


def _put_first(environment: dict[str, str], key: str, value: str) -> None:
    before = environment.get(key)
    environment[key] = f"{value}:{before}" if before else value
