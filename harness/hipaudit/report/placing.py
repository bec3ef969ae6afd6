"""Placing finished pages: a run that is killed leaves the last complete ones.

Pages are made in a folder of their own. When all are there it is renamed, which is one step; what
then stops in the middle is finished by the next run.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hipaudit.files import unwritable

_MAKING = Path(".run") / "making"
_COMPLETE = Path(".run") / "complete"


def prepare(folder: Path) -> None:
    """Make the folder that pages will be placed in. Raises UsageError where that cannot be."""
    try:
        (folder / ".run").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time make pages for a folder; another one waits for its turn."""
    prepare(folder)
    with (folder / ".run" / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def staging(folder: Path) -> Path:
    """Return an empty folder to make pages in; pages that an earlier run completed are placed."""
    finish(folder)
    making = folder / _MAKING
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    return making


def commit(folder: Path) -> None:
    """Take what was made in `staging` for complete, and place it."""
    (folder / _MAKING).rename(folder / _COMPLETE)
    finish(folder)


def finish(folder: Path) -> None:
    """Place the pages that are complete; none where there are none."""
    complete = folder / _COMPLETE
    for path in sorted(complete.rglob("*")):
        if path.is_file():
            target = folder / path.relative_to(complete)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(complete, ignore_errors=True)
