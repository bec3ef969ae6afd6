"""The command line: one file a command, errors as one sentence, exit codes 0, 1, 2 and 3."""

from __future__ import annotations

import os
import sys

import typer

from hipaudit.cli import (
    audit,
    baseline,
    check,
    doctor,
    execute,
    history,
    isa,
    layouts,
    mutate,
    replay,
)
from hipaudit.errors import EXIT_USAGE, HipauditError
from hipaudit.report.github import commands_off
from hipaudit.text import inert

app = typer.Typer(
    name="hipaudit",
    help="Audits HIP kernels and the ROCm runtimes that launch them.\n\n"
    "Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage or compile error, "
    "3 void (nothing was shown).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (audit, check, execute, isa, layouts, mutate, replay, baseline, history, doctor):
    command.register(app)


def main() -> None:
    """Run the command line; an error that hipaudit raises on purpose is one sentence."""
    try:
        app()
    except HipauditError as error:
        lines = inert(str(error), keep_newlines=True, limit=20_000)
        # A compiler's log quotes the source, and names come from anywhere.
        with commands_off(sys.stderr):
            sys.stderr.write(f"hipaudit: {lines}\n")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        # A full disk, output that cannot be written: what was found may not have been shown. What
        # waits to be written would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        about = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"hipaudit: {inert(about)}{error.strerror}\n")
        raise SystemExit(EXIT_USAGE) from None
