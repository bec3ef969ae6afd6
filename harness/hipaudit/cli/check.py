"""hipaudit check: one kernel file, compiled, run on both wave sizes, judged."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hipaudit import arguments, baseline, checking, history, proposing, replaytoken
from hipaudit.checking import Request
from hipaudit.cli.options import (
    BaselineFrom,
    DeviceChoice,
    FailOn,
    HipDevice,
    HistoryTo,
    JsonTo,
    Level,
    SarifTo,
    choice,
    extent,
    repeated,
)
from hipaudit.device import ARCHES, choose
from hipaudit.errors import UsageError
from hipaudit.finding import Findings
from hipaudit.outcome import Outcome
from hipaudit.report.output import check_places, write
from hipaudit.report.terminal import busy, console
from hipaudit.text import inert

_EPILOG = (
    "Examples:\n\n"
    "hipaudit check my.hip\n\n"
    "hipaudit check my.hip --grid 64 --block 256 --arg 'f32[16384]=uniform(-1,1)' "
    "--arg i32=16384\n\n"
    "hipaudit check my.hip --kernel 'scale<float>' --grid 4 --block 64 --arg f32[256]=iota "
    "--arg f32=2 --json -\n\n"
    f"An --arg is TYPE[COUNT][=INIT] for a buffer (INIT: {arguments.INITS}) or TYPE=VALUE; "
    f"TYPE is one of {' '.join(arguments.TYPES)}; null is a null pointer, hex=0a0b a structure's "
    "bytes. A buffer without INIT, or uninit, is an output: elements that the kernel does not "
    "write are findings. Start it as zeros where gaps are meant."
)
_TIMEOUT_S = 10.0
_BOTH = ("gfx942", "gfx1100")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    file: Annotated[str, typer.Argument(metavar="FILE.hip", help="The kernel file.")],
    kernel: Annotated[str, typer.Option(help="Entry point; f<int> for a template.")] = "",
    grid: Annotated[str, typer.Option(metavar="X[,Y[,Z]]", help="Blocks.")] = "",
    block: Annotated[str, typer.Option(metavar="X[,Y[,Z]]", help="Threads a block.")] = "",
    shared: Annotated[int, typer.Option(min=0, help="Bytes of dynamic shared memory.")] = 0,
    arg: Annotated[
        list[str] | None, typer.Option(metavar="SPEC", help="One argument; repeat in order.")
    ] = None,
    arch: Annotated[str, typer.Option(help=f"both, or of {', '.join(ARCHES)}.")] = "both",
    seed: Annotated[int, typer.Option(min=0, help="For random contents.")] = 0,
    timeout: Annotated[
        float, typer.Option(help="Processor seconds without progress.")
    ] = _TIMEOUT_S,
    define: Annotated[
        list[str] | None, typer.Option("-D", metavar="NAME=VALUE", help="Define a macro.")
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option("-I", metavar="DIR", help="Folder with headers.")
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="DIR", help="Save the buffers after the run as .npy.")
    ] = None,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    accepted: BaselineFrom = None,
    history_to: HistoryTo = None,
    hip_device: HipDevice = None,
) -> None:
    """Compile a kernel file, run one kernel on both wave sizes, and report what goes wrong.

    Without --arg, lists the kernels and the arguments they take, and proposes a command line.
    """
    known = baseline.find(accepted)
    check_places(json_to, sarif_to)
    request = Request(
        file=_source(file),
        kernel=kernel,
        grid=extent(grid or "1", "--grid"),
        block=extent(block or "1", "--block"),
        shared=shared,
        args=tuple(arg or ()),
        archs=_archs(arch, hip_device),
        define=tuple(define or ()),
        include=tuple(include or ()),
        seed=seed,
        timeout_s=_positive(timeout),
        save=save,
    )
    for text in request.args:
        arguments.parse(text)
    chosen = choose(choice(hip_device))
    words = (*command_line(request), *(("--hip-device", chosen) if chosen == "rocm" else ()))
    checks = bool(request.args or grid or block)
    if not checks:
        outcome = _propose(request, chosen, console(stderr=json_to == "-"))
    else:
        history.check(history_to)
        outcome = run(request, chosen)
    code = write(
        outcome,
        json_to=json_to,
        sarif_to=sarif_to,
        fail_on=fail_on.value,
        accepted=known,
        command=words,
    )
    if checks:
        history.keep(history_to, outcome, words, whole=True)
    raise SystemExit(code)


def run(request: Request, chosen: str) -> Outcome:
    """Check, and return the outcome with replay commands in its findings."""
    argv = command_line(request)
    replay = replaytoken.command({"what": "check", "argv": argv, "device": chosen})
    with busy("starting") as tell:
        return checking.check(
            request, chosen, replay, device_title=_title(request, chosen), progress=tell
        )


def _title(request: Request, chosen: str) -> str:
    title = "emulated device" if chosen == "emulated" else "ROCm device"
    return f"{title} {' and '.join(request.archs)}"


def command_line(request: Request) -> list[str]:
    """Return the arguments of ``hipaudit`` that make this request."""
    argv = ["check", request.file]
    argv += ["--kernel", request.kernel] if request.kernel else []
    argv += ["--grid", _extent_text(request.grid), "--block", _extent_text(request.block)]
    argv += ["--shared", str(request.shared)] if request.shared else []
    argv += repeated("--arg", request.args)
    argv += ["--arch", request.archs[0]] if request.archs != _BOTH else []
    argv += ["--seed", str(request.seed)] if request.seed else []
    argv += ["--timeout", f"{request.timeout_s:g}"] if request.timeout_s != _TIMEOUT_S else []
    argv += repeated("-D", request.define)
    argv += repeated("-I", request.include)
    return argv


def _extent_text(extent: tuple[int, int, int]) -> str:
    """Return an extent without the ones at its end."""
    x, y, z = extent
    return f"{x},{y},{z}" if z != 1 else f"{x},{y}" if y != 1 else str(x)


def _source(file: str) -> str:
    if not Path(file).is_file():
        raise UsageError(f"there is no kernel file {file}")
    return file


def _positive(seconds: float) -> float:
    if not 0 < seconds < 1e6:
        raise UsageError(f"--timeout {seconds}: it takes a number of seconds above 0")
    return seconds


def _archs(arch: str, device: DeviceChoice | None) -> tuple[str, ...]:
    """Return the parts; a real GPU is what it is."""
    if choose(choice(device)) == "rocm":
        from hipaudit.device import bind

        return (bind("rocm").arch,)
    if arch == "both":
        return _BOTH
    if arch not in ARCHES:
        raise UsageError(f"--arch {arch!r}: it takes both, or one of {', '.join(ARCHES)}")
    return (arch,)


def _propose(request: Request, chosen: str, to: Console) -> Outcome:
    """List the kernels with their parameters, each with a command line that runs it."""
    with busy("trying sizes"):
        kernels = proposing.propose(request, chosen)
    if not kernels:
        raise UsageError(f"{request.file} defines no __global__ function that can be launched")
    for kernel in kernels:
        for line in _listing(request, kernel):
            to.print(inert(line))
    void = "no --arg, so nothing was checked: paste a line, with sizes of yours"
    return Outcome(_title(request, chosen), ",".join(request.archs), (), Findings(), (), void)


def _listing(request: Request, kernel: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines about one kernel."""
    name = str(kernel["name"])
    listed = ", ".join(f"{p['type']} {p['name']}" for p in kernel["params"])
    if kernel.get("template"):
        yield f"template <{kernel['of_template']}> {name}({kernel['signature']})"
        command = f"hipaudit check {shlex.quote(request.file)} --kernel '{name}<...>'"
        yield f"  a template, name its arguments: {command}"
        return
    yield f"{name}({listed})"
    yield f"  {_proposal(request, kernel)}"
    if any(p["kind"] == "struct" for p in kernel["params"]):
        yield "  (hex= takes the bytes of the structure, in order, padding included)"
    if kernel.get("problem"):
        yield f"  (finds {kernel['problem']}: a fault of the kernel, or sizes that do not fit it)"


def _proposal(request: Request, kernel: Mapping[str, Any]) -> str:
    """Return a command line that runs a kernel."""
    draft = kernel["draft"]
    chosen = replace(
        request,
        kernel=str(kernel["name"]),
        grid=tuple(draft["grid"]),
        block=tuple(draft["block"]),
        shared=int(draft["shared"]),
        args=tuple(draft["args"]),
    )
    return shlex.join(["hipaudit", *command_line(chosen)])
