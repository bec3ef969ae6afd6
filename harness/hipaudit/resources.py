"""Where the files that are no Python are: an installed wheel carries them, a checkout has them."""

from __future__ import annotations

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
    """Return a kernel file's path as reports show it: relative to the working folder if below."""
    return shown_path(kernels_folder() / name)


def shown_path(path: str | Path) -> Path:
    """Return a path as reports show it: relative to the working folder if below."""
    path = Path(path)
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
