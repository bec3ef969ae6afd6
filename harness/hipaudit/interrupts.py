"""Ctrl-C on a command line, also where Python loses it.

KeyboardInterrupt disappears when it is raised in a finaliser or in a callback of an import, and
becomes a RuntimeError in the body of a class. A command may then end as though nobody had pressed
anything, or with a traceback of somebody else's module.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

EXIT_INTERRUPTED = 130


def interruptible(command: Callable[[], None]) -> None:
    """Run a command line; after a Ctrl-C it ends with 130, unless it chose a failure of its own.

    Raises SystemExit.
    """
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        signal.default_int_handler(number, frame)

    def report(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = report
    # Where it is ignored, as in the background of a shell, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, hear)
    try:
        command()
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
    except SystemExit as end:
        if heard and end.code in {None, 0}:
            raise SystemExit(EXIT_INTERRUPTED) from None
        raise
    except Exception:
        if heard:
            raise SystemExit(EXIT_INTERRUPTED) from None
        raise
    if heard:
        raise SystemExit(EXIT_INTERRUPTED)
