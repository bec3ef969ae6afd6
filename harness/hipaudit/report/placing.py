"""Placing finished pages: a run that is killed leaves the last complete ones.

Pages are made in a folder of their own. When all are there it is renamed, which is one step; what
then stops in the middle is finished by the next run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_MAKING = Path(".run") / "making"
_COMPLETE = Path(".run") / "complete"


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
