"""hipaudit exec: any program that uses hip-python, with its HIP calls answered by our device."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from hipaudit.cli.options import FailOn, HipDevice, JsonTo, Level, SarifTo, choice
from hipaudit.device import ARCHES, DEFAULT_ARCH, child_environment, choose, read_journal
from hipaudit.errors import EXIT_CLEAN, EXIT_VOID, UsageError
from hipaudit.finding import Reader, grouped
from hipaudit.launches import kernel_rows, launches
from hipaudit.outcome import Outcome
from hipaudit.report.output import write

_EPILOG = (
    "Examples:\n\n"
    "hipaudit exec -- python app.py\n\n"
    "hipaudit exec --arch gfx1100 --json findings.json -- python -m pytest tests\n\n"
    "The exit code is the program's own, unless there are findings (1), or it ended well and "
    "no kernel ran (3)."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "exec",
        epilog=_EPILOG,
        help=_command.__doc__,
        context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    )(_command)


def _command(
    program: Annotated[
        list[str], typer.Argument(metavar="-- PROGRAM [ARG]...", help="The program to run.")
    ],
    arch: Annotated[str, typer.Option(help=f"One of {', '.join(ARCHES)}.")] = DEFAULT_ARCH,
    timeout: Annotated[float, typer.Option(help="Seconds without progress in a launch.")] = 10.0,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    hip_device: HipDevice = None,
) -> None:
    """Run a program with its HIP calls answered by the chosen device; report what it did wrong."""
    if arch not in ARCHES:
        raise UsageError(f"--arch {arch!r}: it takes one of {', '.join(ARCHES)}")
    chosen = choose(choice(hip_device))
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        journal = Path(folder) / "journal.jsonl"
        settings = {"arch": arch, "timeout": f"{timeout:g}", "journal": str(journal)}
        code = _run(program, child_environment(chosen, settings))
        records = read_journal(journal)
        outcome = _outcome(records, chosen, arch, code, program)
        ours = write(outcome, json_to=json_to, sarif_to=sarif_to, fail_on=fail_on.value)
    raise SystemExit(_exit_code(ours, code))


def _exit_code(ours: int, code: int) -> int:
    """Findings first; else the program's own code; a success that shows nothing is void."""
    if ours in {EXIT_CLEAN, EXIT_VOID}:
        return code if code != 0 else ours
    return ours


def _run(program: list[str], environment: dict[str, str]) -> int:
    """Run the program in the foreground; return its exit code, 128 + N for a signal N."""
    found = shutil.which(program[0], path=environment.get("PATH"))
    if found is None:
        raise UsageError(f"there is no program {program[0]}")
    sys.stdout.flush()
    child = subprocess.Popen([found, *program[1:]], env=environment)
    # An interrupt is for the program; we stay to report.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - code if code < 0 else code


def _outcome(
    records: list[dict[str, Any]], chosen: str, arch: str, code: int, program: list[str]
) -> Outcome:
    # The command itself is what shows the finding again.
    replay = f"hipaudit exec --arch {arch} -- {shlex.join(program)}"
    found = grouped(Reader(replay=replay).findings(records))
    counted = launches(records)
    notes = [f"the program ended with exit code {code}"] if code else []
    void = None
    if chosen == "rocm":
        notes.append("the ROCm device does not count launches; its own checks are all that ran")
    elif not sum(entry.launches for entry in counted):
        void = "no kernel ran"
    kind = "emulated" if chosen == "emulated" else "ROCm"
    title = f"{kind} device {arch}, process {Path(program[0]).name}"
    return Outcome(title, arch, kernel_rows(counted), found, tuple(notes), void)
