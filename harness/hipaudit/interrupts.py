"""Ctrl-C on a command line, also where Python loses it.

KeyboardInterrupt disappears when it is raised in a finaliser or in a callback of an import, becomes
a RuntimeError in the body of a class, and native modules print a traceback of it. A command may
then end as though nobody had pressed anything, or in many lines.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

EXIT_INTERRUPTED = 130


class _Hearing:
    """Whether somebody pressed Ctrl-C since `begin`."""

    interrupted = False

    def begin(self) -> None:
        signal.signal(signal.SIGINT, self._hear)
        sys.unraisablehook = self._report

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.default_int_handler(number, frame)

    @staticmethod
    def _report(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(lost)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(EXIT_INTERRUPTED)


def interruptible(load: Callable[[], Callable[[], None]]) -> None:
    """Run the command line that *load* imports; a Ctrl-C ends it with 130.

    Where it then chose a failure of its own, that is what it ends with. Raises SystemExit.
    """
    hearing = _Hearing()
    # Where it is ignored, as in the background of a shell, it stays so.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, _leave)
    command = load()
    try:
        if heeded:
            hearing.begin()
        command()
    except KeyboardInterrupt:
        hearing.interrupted = True
    except (Exception, SystemExit) as end:
        chosen = isinstance(end, SystemExit) and end.code not in {None, 0}
        if chosen or not hearing.interrupted:
            raise
    if hearing.interrupted:
        raise SystemExit(EXIT_INTERRUPTED)
