"""Where the kernels' sources are, and what they are made of.

An installed wheel carries ``kernels/`` as data of the package ``hipaudit``, beside this one; in a
checkout the folder lies at the top. `folder` puts another one in front for a while, for kernels
of one's own or changed copies of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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
    """

    path: Path
    text: str
    headers: Mapping[str, str]


def kernels_folder() -> Path:
    """The folder with this distribution's kernels.

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
    """Read a kernel file and the headers it includes by quotes, relative to its folder.

    A quoted include that is no file there is left to the compiler.
    """
    text = path.read_text(encoding="utf-8")
    headers: dict[str, str] = {}
    waiting = _QUOTED_INCLUDE.findall(text)
    while waiting:
        name = waiting.pop()
        if name in headers or not (path.parent / name).is_file():
            continue
        headers[name] = (path.parent / name).read_text(encoding="utf-8")
        waiting += _QUOTED_INCLUDE.findall(headers[name])
    return KernelSource(path, text, MappingProxyType(headers))
