"""The pages of the audits beside the kernels': the values that their templates print."""

from __future__ import annotations

from pathlib import Path

from hipaudit.audits.memory_page import MemoryAudit
from hipaudit.audits.model_dequantisation import ModelAudit
from hipaudit.audits.sweep import Sweep
from hipaudit.isa.study import Study
from hipaudit.report import plots
from hipaudit.report.code_page import code_page
from hipaudit.report.page import Page, Values, causes, status_of
from hipaudit.text import plural


def model(audit: ModelAudit, folder: Path) -> Page:
    """Return the page of a model's weights, and draw its plot."""
    plot = "plots/model_dequantisation.svg"
    plots.elements_by_format(audit.formats, folder / plot)
    status = status_of(audit.findings, audit.void)
    values: Values = {
        "model": audit.model,
        "formats": [
            {**entry, "elements": f"{entry['elements']:,}", "different": f"{entry['different']:,}"}
            for entry in audit.formats
        ],
        "compared": f"{audit.compared:,}",
        "skipped": sorted(audit.skipped.items()),
        "status": status,
        "plot": plot,
        "findings": causes(audit.findings),
    }
    summary = (
        f"{audit.compared:,} elements dequantised on the device and compared bit for bit with "
        "gguf.quants."
    )
    title = f"Weights of {audit.model}"
    return Page("model_dequantisation.md", "model.md.j2", values, title, summary, status)


def sweep(one: Sweep) -> Page:
    """Return a sweep's page."""
    status = status_of(one.findings, one.void)
    values: Values = {
        "only": one.only or one.name.rpartition("_")[2],
        "title": one.title,
        "question": one.question,
        "status": status,
        "totals": one.totals,
        "columns": one.columns,
        "numeric": one.numeric,
        "table": one.rows,
        "findings": causes(one.findings),
    }
    return Page(f"{one.name}.md", "sweep.md.j2", values, one.title, one.question, status)


def memory(audit: MemoryAudit, folder: Path) -> Page:
    """Return a memory audit's page, and draw its plot where it is about live memory."""
    plot = ""
    if audit.name == "storage_modes" and audit.run.memory is not None:
        plot = "plots/storage_modes.svg"
        plots.peak_owners(audit.run.memory, folder / plot)
        plots.live_memory(audit.run.memory, folder / ".run" / "live_memory.svg")
    status = status_of(audit.findings, audit.run.void)
    values: Values = {
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
        "findings": causes(audit.findings),
    }
    return Page(f"{audit.name}.md", "memory.md.j2", values, audit.title, audit.question, status)


def code(done: Study) -> Page:
    """Return the page of generated code."""
    found = done.findings.items
    values: Values = {**code_page(done), "findings": causes(found)}
    summary = (
        "registers, LDS, spills, occupancy and instructions of every kernel on every AMD part."
    )
    status = plural(len(found), "finding") if found else "clean"
    return Page("generated_code.md", "code.md.j2", values, "Generated code", summary, status)
