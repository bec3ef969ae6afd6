"""Files that are replaced as a whole: who reads one meanwhile, or after a failure, sees the old."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hipaudit.errors import UsageError

_STREAMS = ("/dev/", "/proc/")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def replace_text(path: Path, text: str) -> None:
    """Write a file. Raises UsageError when it cannot be written; the old one is then still there.

    A pipe, a terminal, and a file in a folder that takes no other are written in place.
    """
    try:
        if str(path).startswith(_STREAMS) or (path.exists() and not path.is_file()):
            path.write_text(text, encoding="utf-8")
            return
        target = Path(os.path.realpath(path))
        unfinished = target.with_name(f".hipaudit-{secrets.token_hex(8)}")
        try:
            number = os.open(unfinished, _NEW, 0o666)
        except PermissionError:
            target.write_text(text, encoding="utf-8")
            return
        _fill_and_place(number, text, unfinished, target)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Raise UsageError for a file that cannot be written where it is to go, before the work."""
    try:
        if path.is_dir():
            raise UsageError(f"{path} cannot be written: it is a folder")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            raise UsageError(f"{path} cannot be written: Permission denied")
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: Exception) -> UsageError:
    """Return the error for a file that could not be written."""
    return UsageError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}")


def _fill_and_place(number: int, text: str, unfinished: Path, target: Path) -> None:
    try:
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            stream.write(text)
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
