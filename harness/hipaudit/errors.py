"""Everything hipaudit raises on purpose.

Each class carries the exit code that the command line gives for it, so that no command has to
translate errors into codes of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_VOID = 3


_OWN = Path(__file__).parent


def hidden(excinfo: Any) -> bool:
    """Tell pytest whether its traceback leaves out the frames of the module that names this.

    What is meant for a test's author shows the author's lines alone; where hipaudit itself broke,
    its frames show where. Modules set it as ``__tracebackhide__``.
    """
    meant = isinstance(excinfo.value, (HipauditError, AssertionError))
    return meant or _OWN not in Path(str(excinfo.traceback[-1].path)).parents


class HipauditError(Exception):
    """Base of every error that hipaudit raises on purpose: one clear sentence."""

    exit_code: ClassVar[int] = EXIT_USAGE


class UsageError(HipauditError):
    """What the user asked for cannot be done as asked: a bad option, a missing file."""


class CompileError(HipauditError):
    """A kernel source did not compile; the message is the compiler's log with file:line."""


class ToolchainError(HipauditError):
    """The device library or a kernel cannot be built on this machine."""


class DeviceError(HipauditError):
    """The chosen device does not answer, or cannot be bound in this process any more."""


class ModelError(UsageError):
    """A model file is missing, truncated or not a GGUF file."""


class VoidError(HipauditError):
    """Nothing was examined, so nothing was shown: no kernel ran or no element was compared."""

    exit_code: ClassVar[int] = EXIT_VOID
