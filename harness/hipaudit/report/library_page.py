"""The page of the kernel library: each kernel by its formats and parts, in one table.

Joined from what other pages tell at length: the kernel audits, the mutation scores, the code that
AMD's backend makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.mutation_scores import is_stale
from hipaudit.isa.study import Studied, Study
from hipaudit.mutation.result import Score, arguments_for
from hipaudit.resources import kernels_folder

TEMPLATE = "library.md.j2"


def values(
    audits: Sequence[KernelAudit], scores: Mapping[str, Score], code: Study | None
) -> dict[str, Any]:
    """Return what the template prints; without a study the page has no second table."""
    arguments = arguments_for(kernels_folder() / "any")
    rows = [row for audit in audits for row in _rows(audit, scores, arguments)]
    unscored = sorted({audit.spec.source for audit in audits} - set(scores))
    return {
        "rows": rows,
        "kernels": len(audits),
        "sources": len({audit.spec.source for audit in audits}),
        "scored": bool(scores),
        "unscored": unscored,
        "parts": sorted({row.part.name for row in code.rows}) if code is not None else [],
        "entries": list(_entries(audits, code)) if code is not None else [],
    }


def _rows(
    audit: KernelAudit, scores: Mapping[str, Score], arguments: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield a kernel's lines: one a part and combination of formats."""
    score = scores.get(audit.spec.source)
    share = "-"
    if score is not None:
        share = f"{100 * score.share(arguments):.1f} %{' (stale)' if is_stale(score) else ''}"
    for verdict in audit.verdicts:
        for formats in verdict["formats"]:
            yield {
                "name": audit.spec.name,
                "link": f"kernels/{audit.spec.name}.md",
                "formats": formats["name"],
                "arch": verdict["arch"],
                "examples": formats["examples"],
                "elements": f"{formats['elements']:,}",
                "ratio": "exact" if audit.spec.exact else f"{float(formats['worst_ratio']):.2g}",
                "ulp": f"{float(formats['worst_ulp']):.2g}",
                "findings": audit.found_on(verdict["arch"]),
                "score": share,
            }


def _entries(audits: Sequence[KernelAudit], code: Study) -> Iterator[dict[str, Any]]:
    """Yield the lines of the entry points: what each needs on every part."""
    studied: dict[str, dict[str, Studied]] = {}
    for row in code.rows:
        studied.setdefault(row.code.name, {})[row.part.name] = row
    found: dict[str | None, set[str]] = {}
    for finding in code.findings.items:
        found.setdefault(finding.kernel, set()).add(finding.id)
    specs: dict[str, list[str]] = {}
    for audit in audits:
        for name in audit.spec.entry_points:
            specs.setdefault(name, []).append(audit.spec.name)
    for name in sorted(specs):
        parts = studied.get(name, {})
        yield {
            "name": name,
            "specs": ", ".join(specs[name]),
            "parts": {part: _needs(row) for part, row in parts.items()},
            "findings": len(found.get(name, ())),
        }


def _needs(row: Studied) -> str:
    fits = row.occupancy
    return f"{row.code.vgprs} / {row.lds_bytes:,} / {fits.waves} of {fits.most}"
