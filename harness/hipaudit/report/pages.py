"""The pages under reports/: an index and one page a subject, the same bytes for the same commit.

What depends on the machine or the moment (times, counts of cores) goes to ``reports/.run``,
which is not committed.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hipaudit import __version__
from hipaudit.audits.barriers import BarrierAudit
from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.kill_matrix import Kill
from hipaudit.audits.memory_page import MemoryAudit
from hipaudit.audits.model_dequantisation import ModelAudit
from hipaudit.audits.mutation_scores import read_scores
from hipaudit.audits.sweep import Sweep
from hipaudit.finding import Finding
from hipaudit.isa.study import Study
from hipaudit.mutation.result import arguments_for
from hipaudit.outcome import Outcome
from hipaudit.report import barrier_page, excerpt, kill_page, library_page, plots
from hipaudit.report.code_page import code_page
from hipaudit.report.ulp_page import ulp_tables
from hipaudit.resources import kernels_folder, shown_kernel_path
from hipaudit.text import code_block, code_span, markdown, plural

Page = dict[str, Any]

NOT_CHECKED = (
    "Timing and matrix cores: not emulated.",
    "AMD's transcendental functions bit for bit: results move by the errors that AMD documents.",
    "Reordering of memory operations: the emulated device runs them in program order.",
    "Inputs other than those drawn: a bound holds for the inputs run, however nasty.",
)
"""What no page may let the reader believe."""


@dataclass(frozen=True, slots=True)
class AuditData:
    """Everything that the pages are made from; *scope* names what was audited."""

    outcome: Outcome
    kernels: tuple[KernelAudit, ...]
    model: ModelAudit | None
    scope: str
    archs: tuple[str, ...]
    memory: tuple[MemoryAudit, ...] = ()
    barriers: BarrierAudit | None = None
    kills: tuple[Kill, ...] = ()
    code: Study | None = None
    sweeps: tuple[Sweep, ...] = ()


def write_reports(data: AuditData, folder: Path) -> list[Path]:
    """Write the index and a page for each audit; return the files, index first."""
    environment = templates()
    index = folder / "index.md"
    written = [index]
    rows = []
    for audit in data.kernels:
        page = _kernel_page(audit, folder)
        path = folder / "kernels" / f"{audit.spec.name}.md"
        _write(path, environment, "kernel.md.j2", {**_common(data), **page})
        rows.append({**page, "link": f"kernels/{path.name}"})
        written.append(path)
    if data.kernels:
        library = library_page.values(data.kernels, read_scores(folder), data.code)
        path = folder / "library.md"
        _write(path, environment, library_page.TEMPLATE, {**_common(data), **library})
        written.append(path)
    model = None
    if data.model is not None:
        model = _model_page(data.model, folder)
        path = folder / "model_dequantisation.md"
        _write(path, environment, "model.md.j2", {**_common(data), **model})
        written.append(path)
    tables = folder / "ulp_tables.md"
    _write(tables, environment, "ulp.md.j2", {"tables": ulp_tables()})
    written.append(tables)
    memory = [_memory_page(audit, folder) for audit in data.memory]
    for page in memory:
        path = folder / page["link"]
        _write(path, environment, "memory.md.j2", {**_common(data), **page})
        written.append(path)
    checks = _check_pages(data)
    for template, page in checks:
        path = folder / page["link"]
        _write(path, environment, template, {**_common(data), **page})
        written.append(path)
    if data.code is not None:
        path = folder / "generated_code.md"
        code = {**code_page(data.code), "findings": _findings(data.code.findings.items)}
        _write(path, environment, "code.md.j2", {**_common(data), **code})
        written.append(path)
    sweeps = [_sweep_page(sweep) for sweep in data.sweeps]
    for page in sweeps:
        path = folder / page["link"]
        _write(path, environment, "sweep.md.j2", {**_common(data), **page})
        written.append(path)
    listed = {
        "rows": rows,
        "sweeps": sweeps,
        "code": data.code,
        "model": model,
        "memory": memory,
        "checks": [page for _, page in checks],
        "mutation": _mutation(folder),
        "findings": _findings(data.outcome.findings.items),
    }
    _write(index, environment, "index.md.j2", {**_common(data), **listed})
    return written


def _mutation(folder: Path) -> str:
    """Return what the kept mutation scores say, in words; empty where none are kept."""
    scores = read_scores(folder).values()
    arguments = arguments_for(kernels_folder() / "any")
    killed = sum(sum(score.killed.values()) for score in scores)
    missed = sum(len(score.gaps(arguments)) for score in scores)
    files = plural(len(scores), "file")
    return (
        f"{killed} of {killed + missed} mistakes planted in {files} were noticed" if scores else ""
    )


def _check_pages(data: AuditData) -> list[tuple[str, Page]]:
    """Return the templates and values of the pages about the access checks."""
    pages: list[tuple[str, Page]] = []
    if data.barriers is not None:
        pages.append((barrier_page.TEMPLATE, barrier_page.values(data.barriers, data.archs)))
    if data.kills:
        pages.append((kill_page.TEMPLATE, kill_page.values(data.kills)))
    return [(name, {"link": name.removesuffix(".j2"), **page}) for name, page in pages]


def write_run_facts(facts: Mapping[str, Any], folder: Path) -> None:
    """Write what differs between machines and moments to its own, uncommitted folder."""
    place = folder / ".run"
    place.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dict(facts), indent=2, sort_keys=True) + "\n"
    (place / "audit.json").write_text(text, encoding="utf-8")


def templates() -> Environment:
    """Return the page templates, with filters that make text inert."""
    environment = Environment(
        loader=PackageLoader("hipaudit", "report/templates"),
        autoescape=False,  # noqa: S701 - the pages are Markdown; md and code make text inert
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": markdown, "code": code_span, "block": code_block}
    environment.globals |= {"plural": plural}
    return environment


def _write(path: Path, environment: Environment, template: str, values: Page) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment.get_template(template).render(values), encoding="utf-8")


def _common(data: AuditData) -> Page:
    """Return what every page's header needs."""
    return {
        "version": __version__,
        "device": data.outcome.device,
        "archs": data.archs,
        "scope": data.scope,
        "compiler": f"clang of ziglang {importlib.metadata.version('ziglang')}",
        "notes": data.outcome.notes,
        "void": data.outcome.void,
        "dropped": data.outcome.findings.dropped,
        "not_checked": NOT_CHECKED,
    }


def _kernel_page(audit: KernelAudit, folder: Path) -> Page:
    """Return a kernel page's values, and draw its plot."""
    spec = audit.spec
    plot = folder / "plots" / f"{spec.name}.svg"
    draw = plots.elements_by_example if spec.exact else plots.error_against_bound
    draw(audit.points, plot)
    growth = None
    if audit.sums:
        growth = folder / "plots" / f"{spec.name}_growth.svg"
        plots.error_growth({arch: found["growth"] for arch, found in audit.sums.items()}, growth)
    return {
        "name": spec.name,
        "source": str(shown_kernel_path(spec.source)),
        "description": spec.description,
        "entry_points": spec.entry_points,
        "formula": spec.formula,
        "exact": spec.exact,
        "verdicts": [_verdict(verdict) for verdict in audit.verdicts],
        "status": _status(audit),
        "nearest": [
            {"arch": verdict["arch"], **_element(element)}
            for verdict in audit.verdicts
            for element in verdict["worst"]
        ],
        "checked": audit.checked,
        "fixed_cases": len(spec.cases),
        "plot": f"../plots/{plot.name}",
        "sums": [(arch, found["sentence"]) for arch, found in sorted(audit.sums.items())],
        "growth": None if growth is None else f"../plots/{growth.name}",
        "findings": _findings(audit.findings),
        "node": f"tests/numerics/test_library.py -k {spec.name}",
    }


def _verdict(verdict: Mapping[str, Any]) -> Page:
    """Return a verdict's numbers as the page prints them."""
    return {
        **verdict,
        "worst_ratio": f"{float(verdict['worst_ratio']):.2g}",
        "worst_ulp": f"{float(verdict['worst_ulp']):.2g}",
        "elements": f"{verdict['elements']:,}",
        "rejected": not verdict["survivors"],
    }


def _element(element: Mapping[str, Any]) -> Page:
    """Return an element of a verdict as the page prints it."""
    inputs = ", ".join(f"{name} = {float(value):.9g}" for name, value in element["inputs"].items())
    case = f"{inputs}; {element['case']}" if inputs else element["case"]
    met = f" ({element['adversary']})" if element["adversary"] else ""
    return {
        "index": element["index"],
        "actual": f"{float(element['actual']):.9g}",
        "expected": f"{float(element['expected']):.12g}",
        "truth": element["truth"],
        "ratio": f"{float(element['ratio']):.2g}",
        "inputs": case + met,
    }


def _status(audit: KernelAudit) -> str:
    if audit.findings:
        return plural(len({finding.id for finding in audit.findings}), "finding")
    return "void" if audit.void else "clean"


def _model_page(model: ModelAudit, folder: Path) -> Page:
    """Return the model page's values, and draw its plot."""
    plot = folder / "plots" / "model_dequantisation.svg"
    plots.elements_by_format(model.formats, plot)
    status = "void" if model.void else "clean"
    if model.findings:
        status = plural(len({finding.id for finding in model.findings}), "finding")
    return {
        "model": model.model,
        "formats": [
            {**entry, "elements": f"{entry['elements']:,}", "different": f"{entry['different']:,}"}
            for entry in model.formats
        ],
        "compared": f"{model.compared:,}",
        "skipped": sorted(model.skipped.items()),
        "status": status,
        "plot": f"plots/{plot.name}",
        "findings": _findings(model.findings),
    }


def _sweep_page(sweep: Sweep) -> Page:
    """Return a sweep's values."""
    status = "void" if sweep.void else "clean"
    if sweep.findings:
        status = plural(len({finding.id for finding in sweep.findings}), "finding")
    return {
        "link": f"{sweep.name}.md",
        "only": sweep.name.rpartition("_")[2],
        "title": sweep.title,
        "question": sweep.question,
        "status": status,
        "totals": sweep.totals,
        "columns": sweep.columns,
        "numeric": sweep.numeric,
        "table": sweep.rows,
        "findings": _findings(sweep.findings),
    }


def _memory_page(audit: MemoryAudit, folder: Path) -> Page:
    """Return a memory audit's values, and draw its plot where it is about live memory."""
    plot = ""
    if audit.name == "storage_modes" and audit.run.memory is not None:
        plot = "plots/storage_modes.svg"
        plots.peak_owners(audit.run.memory, folder / plot)
        plots.live_memory(audit.run.memory, folder / ".run" / "live_memory.svg")
    status = "void" if audit.run.void else "clean"
    if audit.findings:
        status = plural(len({finding.id for finding in audit.findings}), "finding")
    return {
        "link": f"{audit.name}.md",
        "title": audit.title,
        "question": audit.question,
        "model": audit.run.model,
        "tokens": audit.run.tokens,
        "layers": audit.run.layers,
        "status": status,
        "totals": audit.totals,
        "checks": audit.checks,
        "columns": audit.columns,
        "numeric": audit.numeric,
        "table": audit.rows,
        "plot": plot,
        "findings": _findings(audit.findings),
    }


def _findings(findings: Sequence[Finding]) -> list[Page]:
    """Return findings as the templates print them, one a root cause."""
    causes: dict[str, Page] = {}
    for finding in findings:
        if finding.id in causes:
            causes[finding.id]["archs"].append(finding.arch)
            continue
        sides = [
            {
                "label": label.capitalize(),
                "place": excerpt.place(side),
                "who": excerpt.who(side),
                "lines": excerpt.block(side),
            }
            for label, side in excerpt.sides(finding)
        ]
        causes[finding.id] = {
            "finding": finding,
            "archs": [finding.arch],
            "sides": sides,
            "what": excerpt.what(finding),
        }
    return list(causes.values())
