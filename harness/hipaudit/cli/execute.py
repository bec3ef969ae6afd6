"""hipaudit exec: any program that uses hip-python, with its HIP calls answered by our device."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hipaudit import baseline, history
from hipaudit.cli.options import (
    BaselineFrom,
    FailOn,
    HipDevice,
    HistoryTo,
    JsonTo,
    Level,
    SarifTo,
    choice,
)
from hipaudit.device import ARCHES, DEFAULT_ARCH, child_environment, choose, read_journal
from hipaudit.errors import EXIT_CLEAN, EXIT_VOID, UsageError
from hipaudit.finding import Reader, grouped
from hipaudit.launches import kernel_rows, launches
from hipaudit.memory import memory_use
from hipaudit.memory_hygiene import hygiene_findings
from hipaudit.outcome import Outcome
from hipaudit.report.output import check_places, write

_EPILOG = (
    "Examples:\n\n"
    "hipaudit exec -- python app.py\n\n"
    "hipaudit exec --plain -- python slow_app.py\n\n"
    "hipaudit exec --arch gfx1100 --json findings.json -- python -m pytest tests\n\n"
    "hipaudit exec --ledger --memory-plot memory.svg -- ./native_program\n\n"
    "The exit code is the program's own, unless there are findings (1), or it ended well and "
    "nothing was shown (3): neither a kernel ran nor the ledger saw a call. A program without "
    "kernels has its use of memory checked."
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ran: on which device, part and build, and how it ended.

    ledger  the ledger's checks were the only ones asked for
    """

    choice: str
    arch: str
    build: str
    ledger: bool
    program: tuple[str, ...]
    code: int


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
    timeout: Annotated[
        float, typer.Option(help="Processor seconds without progress in a launch.")
    ] = 10.0,
    plain: Annotated[
        bool, typer.Option("--plain", help="Run kernels without access checks: faster.")
    ] = False,
    ledger: Annotated[
        bool,
        typer.Option(
            "--ledger",
            help="Check only what is done through HIP's API: allocations, copies, streams. For "
            "programs without kernels, and for native ones.",
        ),
    ] = False,
    memory_plot: Annotated[
        Path | None,
        typer.Option(metavar="SVG", help="Draw live memory over time and its owners there."),
    ] = None,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    accepted: BaselineFrom = None,
    history_to: HistoryTo = None,
    hip_device: HipDevice = None,
) -> None:
    """Run a program with its HIP calls answered by the chosen device; report what it did wrong."""
    if arch not in ARCHES:
        raise UsageError(f"--arch {arch!r}: it takes one of {', '.join(ARCHES)}")
    known = baseline.find(accepted)
    check_places(json_to, sarif_to)
    history.check(history_to)
    chosen = choose(choice(hip_device))
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        journal = Path(folder) / "journal.jsonl"
        build = "plain" if plain or ledger else "checked"
        settings = {"arch": arch, "build": build, "timeout": f"{timeout:g}"}
        settings["journal"] = str(journal)
        code = _run(program, child_environment(chosen, settings))
        records = read_journal(journal)
        outcome = _outcome(records, Ran(chosen, arch, build, ledger, tuple(program), code))
        words = ("exec", "--arch", arch, *_flags(plain, ledger), "--", *program)
        ours = write(
            outcome,
            json_to=json_to,
            sarif_to=sarif_to,
            fail_on=fail_on.value,
            accepted=known,
            command=words,
        )
        if memory_plot is not None:
            _draw(outcome, memory_plot)
        history.keep(history_to, outcome, words, whole=code == 0)
    raise SystemExit(_exit_code(ours, code))


def _flags(plain: bool, ledger: bool) -> tuple[str, ...]:
    return ("--ledger",) if ledger else ("--plain",) if plain else ()


def _draw(outcome: Outcome, path: Path) -> None:
    """Write the plot of live memory."""
    from hipaudit.report.plots import live_memory

    if outcome.memory is None:
        raise UsageError(f"{path}: there is no memory to draw, the program made no HIP call")
    try:
        live_memory(outcome.memory, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _exit_code(ours: int, code: int) -> int:
    """Findings first; else the program's own code; a success that shows nothing is void."""
    if ours in {EXIT_CLEAN, EXIT_VOID}:
        return code if code != 0 else ours
    return ours


def _run(program: list[str], environment: dict[str, str]) -> int:
    """Run the program in the foreground; return its exit code, 128 + N for a signal N."""
    found = shutil.which(program[0], path=environment.get("PATH"))
    if found is None:
        if Path(program[0]).is_file():
            raise UsageError(
                f"{program[0]} is not executable: hipaudit exec -- python {program[0]}"
            )
        raise UsageError(f"there is no program {program[0]}")
    sys.stdout.flush()
    child = subprocess.Popen([found, *program[1:]], env=environment)
    # A terminal interrupts the program itself; other requests to end are passed on. We stay to
    # report.
    ends: dict[int, Any] = {signal.SIGINT: signal.SIG_IGN}
    ends |= dict.fromkeys(
        (signal.SIGTERM, signal.SIGHUP), lambda number, _: child.send_signal(number)
    )
    before = {number: signal.signal(number, ours) for number, ours in ends.items()}
    try:
        code = child.wait()
    finally:
        for number, theirs in before.items():
            signal.signal(number, theirs)
    return 128 - code if code < 0 else code


def _outcome(records: list[dict[str, Any]], ran: Ran) -> Outcome:
    """Return what the program's journal says."""
    flag = "".join(f" {one}" for one in _flags(ran.build == "plain", ran.ledger))
    # The command itself is what shows the finding again.
    replay = f"hipaudit exec --arch {ran.arch}{flag} -- {shlex.join(ran.program)}"
    reader = Reader(replay=replay)
    memory = memory_use(records, reader.symboliser)
    hygiene = hygiene_findings(memory, ran.arch, replay) if memory else []
    found = grouped([*reader.findings(records), *hygiene])
    counted = launches(records)
    notes = [f"the program ended with exit code {ran.code}"] if ran.code else []
    void = None
    # A program that a signal ended cannot give its account any more.
    seen = "seen before the program was ended" if ran.code > 128 else "made"
    tracked = bool(found.items) or (memory is not None and memory.calls > 0)
    if ran.ledger or ran.choice == "rocm":
        notes.append("kernels were not checked: the ledger's checks are all that ran")
        void = None if tracked else f"no HIP call was {seen}"
    elif not sum(entry.launches for entry in counted):
        notes.append("no kernel ran: the ledger's checks are all there was")
        void = None if tracked else f"no kernel ran and no HIP call was {seen}"
    elif ran.build == "plain":
        notes.append("access checks were not run: --plain")
    elif not sum(entry.accesses for entry in counted):
        void = "no memory access was instrumented"
    kind = "emulated" if ran.choice == "emulated" else "ROCm"
    title = f"{kind} device {ran.arch}, process {Path(ran.program[0]).name}"
    rows = kernel_rows(counted)
    return Outcome(title, ran.arch, rows, found, tuple(notes), void, memory=memory)
