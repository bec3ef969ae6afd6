"""``hipaudit-run``: the runtime's own command line, on a machine with a GPU and on one without.

The runtime is a plain HIP program and knows only the HIP that is installed. Where no GPU answers,
the emulated device is bound before its first HIP call. Under ``hipaudit exec`` that has been done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from hipaudit.errors import HipauditError
from hipaudit.interrupts import interruptible


def main() -> None:
    """Run the command line; an error that hipaudit raises on purpose is one sentence."""
    interruptible(_load)


def _load() -> Callable[[], None]:
    """Import what takes a second to import."""
    from hipaudit_runtime.cli import main as runtime_main

    def run() -> None:
        try:
            runtime_main(_prepare)
        except HipauditError as error:
            from hipaudit.text import inert

            lines = inert(str(error), keep_newlines=True, limit=20_000)
            sys.stderr.write(f"hipaudit-run: {lines}\n")
            raise SystemExit(error.exit_code) from None

    return run


def _prepare() -> None:
    """Bind the emulated device, unless there is a GPU or a parent has seen to it."""
    from hipaudit.device import bind, choose

    if "HIPAUDIT_JOURNAL" in os.environ or choose() != "emulated":
        return
    device = bind("emulated")
    if "HIPAUDIT_BUILD" not in os.environ:
        device.with_build("plain")
    if sys.stderr.isatty():
        sys.stderr.write(f"hipaudit-run: no AMD GPU answers, using the {device.title}\n")
