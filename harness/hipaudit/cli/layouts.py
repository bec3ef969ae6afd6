"""hipaudit layouts: a binding's hand-written structures against HIP's headers."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Annotated

import typer

from hipaudit.cli.options import FailOn, JsonTo, Level, SarifTo
from hipaudit.report.output import write

_EPILOG = (
    "FILE is Python with ctypes classes, Rust with #[repr(C)], C or C++, a library with debugging "
    "information, or JSON: [[struct, field, offset], ...].\n\n"
    "Examples:\n\n"
    "hipaudit layouts my_binding.py\n\n"
    "hipaudit layouts src/hip.rs --rocm 5\n\n"
    "hipaudit layouts target/debug/libruntime.so --sarif layouts.sarif\n\n"
    "hipaudit layouts hip-python"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("layouts", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The binding, or hip-python.")],
    rocm: Annotated[
        int | None, typer.Option(min=5, help="ROCm's major version. Default: the latest.")
    ] = None,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
) -> None:
    """Compare the structures that a binding lays out by hand with HIP's headers."""
    from hipaudit import layouts
    from hipaudit.layouts import hip_python

    def layout_of(major: int | None) -> str:
        return str(min(major or int(layouts.LATEST), int(layouts.LATEST)))

    if file == "hip-python":
        rocm = rocm or int(importlib.metadata.version("hip-python").split(".")[0])
        version = layout_of(rocm)
        names = {one.name for one in layouts.facts(version).values()}
        binding = hip_python.structures(names | {"hipDeviceProp_t"})
    else:
        version = layout_of(rocm)
        binding = layouts.read_binding(Path(file))
    outcome = layouts.outcome(binding, file, version)
    code = write(
        outcome,
        json_to=json_to,
        sarif_to=sarif_to,
        fail_on=fail_on.value,
        command=("layouts", file, "--rocm", version),
    )
    raise SystemExit(code)
