"""hipaudit mutate: which planted mistakes a kernel's tests would miss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from hipaudit.cli.options import FailOn, HipDevice, JsonTo, Level, SarifTo, choice, repeated
from hipaudit.device import ARCHES, DEFAULT_ARCH, choose
from hipaudit.errors import UsageError
from hipaudit.report.output import check_places, write

_EPILOG = (
    "Examples:\n\n"
    "hipaudit mutate                                   every file of the library\n\n"
    "hipaudit mutate kernels/softmax.hip               one file of the library\n\n"
    "hipaudit mutate my.hip -- pytest test_my.py       your kernel, your tests\n\n"
    "hipaudit mutate my.hip --operator barrier-removed --operator loop-bound -- ./run_tests\n\n"
    "hipaudit mutate my.hip --list                     what would be tried\n\n"
    "Your tests run as they are, on the emulated device; the mutant takes the file's place where "
    "its text is handed to hiprtc.\n\n"
    "Survivors that are no mistakes can be argued in equivalent_mutants.json beside the file: "
    'a list of {"id": ..., "mutant": ..., "reason": ...}.\n\n'
    "Exit codes: 0 every mistake was noticed, 1 some were not, 2 usage, 3 nothing was shown."
)


class _SplitCommand(TyperCommand):
    """A command whose words behind ``--`` are a program of the user's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Set the program aside before the options are read."""
        if "--" in args:
            at = args.index("--")
            ctx.meta["program"] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mutate", cls=_SplitCommand, epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]... [-- PROGRAM [ARG]...]", help="Kernel files to mutate."),
    ] = None,
    operator: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Mistakes of this kind; repeat.")
    ] = None,
    mutant: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="This mutant alone; repeat.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many mutants of a file, evenly spread.")
    ] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List the mutants, run none.")] = False,
    jobs: Annotated[int, typer.Option(min=0, help="At once; 0: as many as cores.")] = 0,
    arch: Annotated[
        str, typer.Option(help=f"For a program: one of {', '.join(ARCHES)}.")
    ] = DEFAULT_ARCH,
    plain: Annotated[
        bool, typer.Option("--plain", help="For a program: run kernels without access checks.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the library's scores there, and a page of them; what is kept and still "
            "true is not run again. Default without FILE: reports.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run what is kept as well.")] = False,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.WARNING,
    hip_device: HipDevice = None,
) -> None:
    """Plant small mistakes in kernel files, one at a time, and see which ones no test notices."""
    from hipaudit.cli import mutating  # the library is for this command alone

    if arch not in ARCHES:
        raise UsageError(f"--arch {arch!r}: it takes one of {', '.join(ARCHES)}")
    if choose(choice(hip_device)) == "rocm":
        raise UsageError("mutants are tried on the emulated device: --hip-device emulated")
    chosen = mutating.Choice(
        tuple(files or ()), tuple(operator or ()), tuple(mutant or ()), limit, jobs
    )
    program = ctx.meta.get("program")
    check_places(json_to, sarif_to)
    if list_only:
        mutating.show_list(chosen)
        raise SystemExit(0)
    if program is not None:
        outcome = mutating.run_program(chosen, program, arch, plain=plain)
    else:
        kept = out or (None if files else Path("reports"))
        outcome = mutating.run_library(chosen, kept, fresh=fresh)
    words = ["mutate", *map(str, files or ())]
    words += repeated("--operator", operator)
    words += repeated("--mutant", mutant)
    words += ["--", *program] if program is not None else []
    code = write(
        outcome,
        json_to=json_to,
        sarif_to=sarif_to,
        fail_on=fail_on.value,
        command=tuple(words),
    )
    raise SystemExit(code)
