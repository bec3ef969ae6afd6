"""Where the kernels' sources are, and what they are made of.

An installed wheel carries ``kernels/`` as data of the package ``hipaudit``, beside this one; in a
checkout the folder lies at the top. `folder` puts another one in front for a while, for kernels
of one's own or changed copies of these.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from hipaudit_runtime.errors import KernelNotFoundError

_QUOTED_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"', re.MULTILINE)
_IN_FRONT: ContextVar[tuple[Path, ...]] = ContextVar("kernel_folders", default=())


@dataclass(frozen=True, slots=True)
class KernelSource:
    """A kernel file's text and that of the headers it includes by quotes.

    path     the file
    text     its contents
    headers  include name -> contents, of headers included by headers as well
    digest   changes with any of them
    """

    path: Path
    text: str
    headers: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What a file looked like from outside when it was read."""

    path: Path
    changed_ns: int
    size: int

    @staticmethod
    def of(path: Path) -> _Stamp:
        """The file as it is now."""
        stat = path.stat()
        return _Stamp(path, stat.st_mtime_ns, stat.st_size)


_read: dict[Path, tuple[tuple[_Stamp, ...], KernelSource]] = {}
"""Sources read before, with the stamps of their files: a launch must not cost reading them."""


@cache
def kernels_folder() -> Path:
    """The folder with this distribution's kernels; looked for once, for every launch asks.

    Raises KernelNotFoundError when the installation lacks it.
    """
    here = Path(__file__).resolve()
    candidates = (here.parents[1] / "hipaudit" / "kernels", here.parents[2] / "kernels")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise KernelNotFoundError(f"no kernels in {' or in '.join(map(str, candidates))}")


@contextmanager
def folder(path: Path) -> Iterator[None]:
    """Look for kernels in *path* first, in this context."""
    token = _IN_FRONT.set((path, *_IN_FRONT.get()))
    try:
        yield
    finally:
        _IN_FRONT.reset(token)


def locate(name: str) -> Path:
    """The path of kernel file *name*, such as ``softmax.hip``.

    Raises KernelNotFoundError when it is in none of the folders.
    """
    folders = (*_IN_FRONT.get(), kernels_folder())
    for candidate in folders:
        path = candidate / name
        if path.is_file():
            return path
    raise KernelNotFoundError(f"no {name} in {', '.join(map(str, folders))}")


def read(path: Path) -> KernelSource:
    """A kernel file and the headers it includes by quotes, relative to its folder.

    Files that look unchanged from outside are not read again. A quoted include that is no file
    there is left to the compiler.
    """
    known = _read.get(path)
    if known is not None and all(_Stamp.of(stamp.path) == stamp for stamp in known[0]):
        return known[1]
    stamps = [_Stamp.of(path)]  # before reading: what changes meanwhile is read again
    text = path.read_text(encoding="utf-8")
    headers: dict[str, str] = {}
    waiting = _QUOTED_INCLUDE.findall(text)
    while waiting:
        name = waiting.pop()
        header = path.parent / name
        if name in headers or not header.is_file():
            continue
        stamps.append(_Stamp.of(header))
        headers[name] = header.read_text(encoding="utf-8")
        waiting += _QUOTED_INCLUDE.findall(headers[name])
    parts = (text, *(part for pair in sorted(headers.items()) for part in pair))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    source = KernelSource(path, text, MappingProxyType(headers), digest)
    _read[path] = (tuple(stamps), source)
    return source
