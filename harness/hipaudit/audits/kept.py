"""What an audit has finished, kept until all of it is: a killed audit goes on from there.

Results are kept as Python objects in the cache folder, which only its owner can write, under a
name made from everything that they depend on: the sources of hipaudit and its kernels, the plan.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hipaudit_reference
import hipaudit_runtime
from hipaudit import toolchain
from hipaudit.audits.kernels import spec_named
from hipaudit.errors import UsageError
from hipaudit.resources import kernels_folder
from hipaudit.spec import Spec

_STALE_S = 7 * 24 * 3600.0
"""What nobody went on with for so long goes."""
_DAMAGED = (
    *(pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError),
    *(MemoryError, OverflowError, TypeError, ValueError, UsageError),
)
"""What pickle raises for bytes that are not what was written, as after a power cut."""
_SOURCES = {".py", ".cpp", ".h", ".c", ".hip", ".json", ".j2"}


class Kept:
    """The finished parts of one audit.

    fresh  forget what an earlier run has finished
    """

    def __init__(self, plan: str, *, fresh: bool = False) -> None:
        parent = toolchain.cache_folder() / "audits"
        self._folder = parent / _digest(plan)
        if fresh:
            self.forget()
        for other in parent.glob("*"):
            with contextlib.suppress(OSError):  # another audit may be removing it as well
                if time.time() - other.stat().st_mtime > _STALE_S:
                    shutil.rmtree(other)

    def load(self, name: str) -> Any:
        """Return a part's result; None when it is not there, or was cut off."""
        try:
            data = self._path(name).read_bytes()
            return _Reader(io.BytesIO(data)).load()
        except (OSError, *_DAMAGED):
            return None

    def save(self, name: str, result: Any) -> None:
        """Keep a part's result."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(name)
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as stream:
            _Writer(stream).dump(result)
        unfinished.replace(path)

    def forget(self) -> None:
        """Remove what was kept: the audit is complete."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.part"


class _Writer(pickle.Pickler):
    """Writes a library spec as its name: it holds functions."""

    def persistent_id(self, obj: Any) -> str | None:
        """Return a spec's name; None for anything else."""
        return obj.name if isinstance(obj, Spec) else None


class _Reader(pickle.Unpickler):
    """Reads what `_Writer` wrote."""

    def persistent_load(self, pid: Any) -> Spec:
        """Return the library's spec of that name."""
        return spec_named(str(pid))


def _digest(plan: str) -> str:
    """Return a name for a plan with everything that its results depend on."""
    digest = hashlib.sha256(plan.encode())
    for path in _sources():
        digest.update(f"\0{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _sources() -> Iterator[Path]:
    packages = (toolchain.__file__, hipaudit_reference.__file__, hipaudit_runtime.__file__)
    folders = [Path(str(file)).parent for file in packages]
    for folder in (*folders, kernels_folder()):
        yield from sorted(path for path in folder.rglob("*") if path.suffix in _SOURCES)
