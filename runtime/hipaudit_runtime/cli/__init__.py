"""The command line of the runtime: generate, chat, serve, bench.

Errors are one sentence on standard error. Exit codes: 0, 1 for an error of the device, 2 for a
wrong argument or a file that cannot be used, 130 when interrupted.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from hipaudit_runtime.cli import bench, chat, generate, serve
from hipaudit_runtime.cli.options import UsageError
from hipaudit_runtime.cli.terminal import drop_output, note, open_streams
from hipaudit_runtime.errors import ChatTemplateError, RuntimeFault, WeightsError
from hipaudit_runtime.generation.requests import RequestError
from hipaudit_runtime.server.serving import ListenError

_USAGE = (UsageError, WeightsError, ChatTemplateError, RequestError, ListenError)

app = typer.Typer(
    name="hipaudit-run",
    help="Runs language models from GGUF files on a HIP device.\n\n"
    "Exit codes: 0, 1 when the device fails, 2 for a wrong argument or file, 130 when interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (generate, chat, serve, bench):
    command.register(app)


def main(prepare: Callable[[], None] = lambda: None) -> None:
    """Run the command line; *prepare* is called before the first HIP call, if there is one."""
    open_streams()
    try:
        app(obj=prepare, prog_name="hipaudit-run")
    except RuntimeFault as error:
        note(f"hipaudit-run: {error}")
        raise SystemExit(2 if isinstance(error, _USAGE) else 1) from None
    except OSError as error:
        drop_output()
        note(f"hipaudit-run: {error.strerror or error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
