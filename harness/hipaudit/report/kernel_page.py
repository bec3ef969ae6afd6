"""The page of one library kernel: the values that its template prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipaudit.audits.kernels import KernelAudit
from hipaudit.report import plots
from hipaudit.report.page import Page, Values, causes, status_of
from hipaudit.resources import shown_kernel_path


def page(audit: KernelAudit, folder: Path) -> Page:
    """Return a kernel's page, and draw its plots under *folder*."""
    spec = audit.spec
    status = status_of(audit.findings, audit.void)
    values: Values = {
        "name": spec.name,
        "source": str(shown_kernel_path(spec.source)),
        "description": spec.description,
        "entry_points": spec.entry_points,
        "formula": spec.formula,
        "exact": spec.exact,
        "verdicts": [_verdict(verdict) for verdict in audit.verdicts],
        "adversarial": any(verdict["adversarial"] for verdict in audit.verdicts),
        "status": status,
        "nearest": [
            {"arch": verdict["arch"], **_element(element)}
            for verdict in audit.verdicts
            for element in verdict["worst"]
        ],
        "checked": audit.checked,
        "fixed_cases": len(spec.cases),
        "plot": f"../{_plot(audit, folder)}",
        "sums": [(arch, found["sentence"]) for arch, found in sorted(audit.sums.items())],
        "growth": f"../{_growth(audit, folder)}" if audit.sums else None,
        "findings": causes(audit.findings),
        "node": f"tests/numerics/test_library.py -k {spec.name}",
    }
    link = f"kernels/{spec.name}.md"
    return Page(link, "kernel.md.j2", values, spec.name, spec.description, status)


def _plot(audit: KernelAudit, folder: Path) -> str:
    link = f"plots/{audit.spec.name}.svg"
    draw = plots.elements_by_example if audit.spec.exact else plots.error_against_bound
    draw(audit.points, folder / link)
    return link


def _growth(audit: KernelAudit, folder: Path) -> str:
    link = f"plots/{audit.spec.name}_growth.svg"
    growth = {arch: found["growth"] for arch, found in audit.sums.items()}
    plots.error_growth(growth, folder / link)
    return link


def _verdict(verdict: Mapping[str, Any]) -> Values:
    """Return a verdict's numbers as the page prints them."""
    return {
        **verdict,
        "worst_ratio": f"{float(verdict['worst_ratio']):.2g}",
        "worst_ulp": f"{float(verdict['worst_ulp']):.2g}",
        "elements": f"{verdict['elements']:,}",
        "rejected": not verdict["survivors"],
    }


def _element(element: Mapping[str, Any]) -> Values:
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
