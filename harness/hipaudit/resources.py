"""Where the files that are no Python are: an installed wheel carries them, a checkout has them."""

from __future__ import annotations

import functools
from pathlib import Path

from hipaudit.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def kernels_folder() -> Path:
    """Return the folder with the library's kernels.

    Raises UsageError when neither the package nor the repository around it has one.
    """
    for candidate in (_PACKAGE / "kernels", _PACKAGE.parents[1] / "kernels"):
        if candidate.is_dir():
            return candidate
    raise UsageError(f"this installation has no kernels: reinstall hipaudit ({_PACKAGE})")


def shown_kernel_path(name: str) -> Path:
    """Return a kernel file's path as one types it; see `shown_path`."""
    return shown_path(kernels_folder() / name)


def shown_path(path: str | Path) -> Path:
    """Return a path as one types it: relative in the checkout's root, absolute elsewhere.

    Pages say the same from everywhere: see `from_root`.
    """
    path = Path(path)
    here = Path.cwd() == _root() and path.is_relative_to(_root())
    return path.relative_to(_root()) if here else path


def from_root(text: str) -> str:
    """Return a page's text with the library's own files named from its root, wherever that lies."""
    return text.replace(f"{_root()}/", "")


@functools.cache
def _root() -> Path:
    """Return the checkout, or the installed package."""
    return kernels_folder().parent
