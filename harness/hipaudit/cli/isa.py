"""hipaudit isa: what AMD's backend makes of a file's kernels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hipaudit.cli.options import FailOn, HipDevice, JsonTo, Level, SarifTo, choice, repeated
from hipaudit.device import bind
from hipaudit.errors import UsageError
from hipaudit.isa import backend
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, Studied, notes, part_named, study
from hipaudit.outcome import Outcome
from hipaudit.report.output import write
from hipaudit.report.terminal import console
from hipaudit.text import inert

_EPILOG = (
    "Examples:\n\n"
    "hipaudit isa my.hip\n\n"
    "hipaudit isa my.hip --arch gfx942 --kernel scale --block 256\n\n"
    "hipaudit isa app.hip -I include -D TILE=64 --json isa.json --fail-on warning\n\n"
    "Occupancy is the number of waves a SIMD holds, of the most it could, for blocks of --block "
    "threads (without it: of the most that __launch_bounds__ allows, else 1024)."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("isa", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.hip", help="Kernels, with or without host code.")
    ],
    arch: Annotated[str, typer.Option(help=f"all, or one of {', '.join(PARTS)}.")] = "",
    kernel: Annotated[str, typer.Option(help="One kernel; its mangled name for a template.")] = "",
    block: Annotated[int, typer.Option(min=0, max=1024, help="Threads a block.")] = 0,
    shared: Annotated[int, typer.Option(min=0, help="Bytes of dynamic shared memory.")] = 0,
    define: Annotated[
        list[str] | None, typer.Option("-D", metavar="NAME=VALUE", help="Define a macro.")
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option("-I", metavar="DIR", help="Folder with headers.")
    ] = None,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    hip_device: HipDevice = None,
) -> None:
    """Compile a file's kernels for AMD's GPUs, without one, and study the code.

    Registers, LDS, scratch memory and spills, occupancy, barriers, widths of memory instructions,
    fused and separate arithmetic, fp64. Findings: register-spill, low-occupancy, launch-limit.
    With --hip-device rocm and no --arch, the part is the GPU's own.
    """
    if not file.is_file():
        raise UsageError(f"there is no kernel file {file}")
    if not arch and choice(hip_device) == "rocm":
        arch = bind("rocm").arch
    parts = tuple(PARTS.values()) if arch in {"", "all"} else (part_named(arch),)
    question = Question(
        file, parts, kernel, block, shared, tuple(define or ()), tuple(include or ())
    )
    done = study(question, libraries=backend.device_libraries())
    outcome = Outcome(
        f"AMD code generator for {', '.join(part.name for part in parts)}",
        ",".join(part.name for part in parts),
        [row.as_json() for row in done.rows],
        done.findings,
        notes(done.rows, done.math),
    )
    to = console(stderr=json_to == "-")
    for line in table(done.rows):
        to.print(line)
    words = ["isa", str(file), "--arch", arch or "all"]
    words += ["--kernel", kernel] if kernel else []
    words += ["--block", str(block)] if block else []
    words += ["--shared", str(shared)] if shared else []
    words += repeated("-D", define)
    words += repeated("-I", include)
    code = write(
        outcome,
        json_to=json_to,
        sarif_to=sarif_to,
        fail_on=fail_on.value,
        command=tuple(words),
    )
    raise SystemExit(code)


def table(rows: Sequence[Studied]) -> list[str]:
    """The figures as lines: a kernel's parts below each other, then its instructions."""
    lines: list[str] = []
    for symbol in dict.fromkeys(row.code.symbol for row in rows):
        own = [row for row in rows if row.code.symbol == symbol]
        name = own[0].code.name
        lines.append(inert(name if name == symbol else f"{name} {symbol}"))
        lines.append("  part     VGPR AGPR SGPR     LDS scratch spills  waves  limited by")
        lines += [_line(row) for row in own]
        lines += [f"  {own[0].part.name}: {inert(text)}" for text in _instructions(own[0])]
        lines.append("")
    return lines


def _line(row: Studied) -> str:
    code, fits = row.code, row.occupancy
    spills = code.vgpr_spills + code.sgpr_spills
    return (
        f"  {row.part.name:8} {code.vgprs:4} {code.agprs:4} {code.sgprs:4} {row.lds_bytes:7} "
        f"{code.scratch_bytes:7} {spills:6} {fits.waves:3}/{fits.most:<2}  {fits.limit or '-'}"
    )


def _instructions(row: Studied) -> list[str]:
    """What the code is made of, in two lines."""
    counted = row.code.instructions
    moved: dict[str, list[str]] = {}
    for kind, count in sorted(counted.traffic.items()):
        moved.setdefault(f"{kind.space} {kind.what}", []).append(f"{count} x {kind.bytes} B")
    memory = "; ".join(f"{what} {', '.join(parts)}" for what, parts in moved.items())
    arithmetic = (
        f"{counted.total} instructions, {counted.barriers} barriers, {counted.fused} fused "
        f"multiply-adds, {counted.products} products, {counted.sums} sums, "
        f"{counted.transcendental} transcendental, {counted.double} fp64, {counted.matrix} matrix"
    )
    return [arithmetic, memory] if memory else [arithmetic]
