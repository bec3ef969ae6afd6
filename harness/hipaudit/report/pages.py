"""The pages under reports/: an index and one page a subject, the same bytes for the same commit.

What depends on the machine or the moment (times, counts of cores) goes to ``reports/.run``,
which is not committed.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit import __version__
from hipaudit.audits.barriers import BarrierAudit
from hipaudit.audits.claims.claim import Claims
from hipaudit.audits.inventory import inventory
from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.kill_matrix import Kill
from hipaudit.audits.memory_page import MemoryAudit
from hipaudit.audits.model_dequantisation import ModelAudit
from hipaudit.audits.mutation_scores import read_scores
from hipaudit.audits.resolved_bugs import ResolvedBugs
from hipaudit.audits.sweep import Sweep
from hipaudit.isa.study import Study
from hipaudit.mutation.result import Score, arguments_for
from hipaudit.outcome import Outcome
from hipaudit.report import (
    audit_pages,
    barrier_page,
    catalogue,
    claims_page,
    inventory_page,
    kernel_page,
    kill_page,
    library_page,
    rendering,
    resolved_page,
)
from hipaudit.report.page import Page, Values, causes
from hipaudit.report.plots import side_by_side
from hipaudit.report.ulp_page import ulp_tables
from hipaudit.resources import kernels_folder
from hipaudit.text import plural

NOT_CHECKED = (
    "Timing and matrix cores: not emulated.",
    "AMD's transcendental functions bit for bit: results move by the errors that AMD documents.",
    "Reordering of memory operations: the emulated device runs them in program order.",
    "Inputs other than those drawn: a bound holds for the inputs run, however nasty.",
)
"""What no page may let the reader believe."""

_INDEX = "index.md"


@dataclass(frozen=True, slots=True)
class AuditData:
    """Everything that the pages are made from; *scope* names what was audited.

    scores  the kept mutation scores, by file
    """

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
    claims: Claims | None = None
    resolved: ResolvedBugs | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A page that was written: its file, and its text."""

    page: Page
    path: Path
    text: str


def write_reports(data: AuditData, folder: Path, kept: Path | None = None) -> list[Written]:
    """Write the index and a page for each audit under *folder*; return them, the index first.

    kept  where the mutation scores are kept: *folder* unless said
    """
    scores = read_scores(kept or folder)
    with side_by_side():
        pages = list(_pages(data, scores, folder))
    pages.insert(0, _index(data, pages, scores))
    common = _common(data)
    written = []
    for page in pages:
        path = folder / page.link
        text = rendering.page(page.template, {**common, **page.values})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(Written(page, path, text))
    return written


def _pages(data: AuditData, scores: Mapping[str, Score], folder: Path) -> Iterator[Page]:
    """Yield every page but the index, drawing their plots under *folder*."""
    for audit in data.kernels:
        yield kernel_page.page(audit, folder)
    if data.kernels:
        values = library_page.values(data.kernels, scores, data.code)
        summary = "all kernels by formats, parts, mutation scores, registers and occupancy."
        yield Page("library.md", library_page.TEMPLATE, values, "The kernel library", summary)
        found = data.outcome.findings.items
        entries = inventory(data.kernels, data.code, data.outcome.kernels, found)
        yield _titled(inventory_page.TEMPLATE, inventory_page.values(entries))
    if data.model is not None:
        yield audit_pages.model(data.model, folder)
    summary = "the errors of float functions over all 2^32 arguments."
    tables = {"tables": ulp_tables()}
    yield Page("ulp_tables.md", "ulp.md.j2", tables, "ULP tables", summary)
    for memory in data.memory:
        yield audit_pages.memory(memory, folder)
    yield from _seeded(data)
    if data.claims is not None:
        yield _claims(data, data.claims, scores, folder)
    if data.code is not None:
        yield audit_pages.code(data.code)
    for sweep in data.sweeps:
        yield audit_pages.sweep(sweep)


def _seeded(data: AuditData) -> Iterator[Page]:
    """Yield the pages of what was done to kernels on purpose: barriers removed, faults planted."""
    if data.barriers is not None:
        yield _titled(barrier_page.TEMPLATE, barrier_page.values(data.barriers, data.archs))
    if data.kills:
        yield _titled(kill_page.TEMPLATE, kill_page.values(data.kills))
    if data.resolved is not None:
        yield resolved_page.page(data.resolved.entries)


def _titled(template: str, values: Values) -> Page:
    """Return a page whose values tell its title and summary."""
    link = template.removesuffix(".j2")
    return Page(link, template, values, values["title"], values["summary"])


def _claims(data: AuditData, claims: Claims, scores: Mapping[str, Score], folder: Path) -> Page:
    values = claims_page.values(claims, folder)
    health = [kill_page.values(data.kills)["summary"]] if data.kills else []
    health += [said] if (said := _mutation(scores)) else []
    values |= {
        "model": data.model.model if data.model else "none",
        "health": " ".join(health) or "not measured in this run",
    }
    counted = ", ".join(f"{count} {name.lower()}" for name, count in values["counts"] if count)
    summary = f"the claims of an analysis that argued from reading, re-derived: {counted}."
    return Page(claims_page.LINK, claims_page.TEMPLATE, values, values["title"], summary)


def _index(data: AuditData, pages: list[Page], scores: Mapping[str, Score]) -> Page:
    """Return the index: the findings, the pages by group, the kernels."""
    listed = list(pages)
    if said := _mutation(scores):
        listed.append(Page("mutation.md", "", {}, "Mutation scores", f"{said}."))
    values: Values = {
        "groups": catalogue.grouped(listed),
        "kernels": [page for page in pages if page.link.startswith("kernels/")],
        "findings": causes(data.outcome.findings.items),
        "void": data.outcome.void,
        "dropped": data.outcome.findings.dropped,
    }
    return Page(_INDEX, "index.md.j2", values, "Audit reports", "")


def _mutation(scores: Mapping[str, Score]) -> str:
    """Return what the kept mutation scores say, in words; empty where none are kept."""
    arguments = arguments_for(kernels_folder() / "any")
    killed = sum(sum(score.killed.values()) for score in scores.values())
    missed = sum(len(score.gaps(arguments)) for score in scores.values())
    files = plural(len(scores), "file")
    return (
        f"{killed} of {killed + missed} mistakes planted in {files} were noticed" if scores else ""
    )


def write_run_facts(facts: Mapping[str, Any], folder: Path) -> None:
    """Write what differs between machines and moments to its own, uncommitted folder."""
    place = folder / ".run"
    place.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dict(facts), indent=2, sort_keys=True) + "\n"
    (place / "audit.json").write_text(text, encoding="utf-8")


def _common(data: AuditData) -> Values:
    """Return what every page's header needs."""
    return {
        "version": __version__,
        "device": data.outcome.device,
        "archs": data.archs,
        "scope": data.scope,
        "compiler": f"clang of ziglang {importlib.metadata.version('ziglang')}",
        "notes": data.outcome.notes,
        "not_checked": NOT_CHECKED,
    }
