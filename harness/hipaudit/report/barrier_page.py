"""The barriers audit as a report page: the values that its template prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hipaudit import hygiene
from hipaudit.audits.barriers import BarrierAudit, BarrierRow
from hipaudit.finding import Finding
from hipaudit.report import excerpt
from hipaudit.text import plural

TEMPLATE = "barriers.md.j2"


def values(audit: BarrierAudit, archs: Sequence[str]) -> dict[str, Any]:
    """Return what the page shows: a row for each barrier, and the races that none prevents."""
    verdicts = [row.verdict for row in audit.rows]
    ranked = (hygiene.NEEDED, hygiene.REDUNDANT, hygiene.WRONG_SCOPE, hygiene.NOT_TRIED)
    counts = [(name, verdicts.count(name)) for name in ranked]
    missing = {finding.id: finding for finding in audit.missing}
    told = ", ".join(f"{count} {name}" for name, count in counts if count) or "none"
    return {
        "title": "Barriers",
        "summary": f"{plural(len(audit.rows), 'barrier')} of library kernels: {told}; "
        f"{len(missing)} missing.",
        "specs": audit.specs,
        "counts": [*counts, ("missing", len(missing))],
        "rows": [_row(row, archs) for row in audit.rows],
        "missing": [_missing(finding) for finding in missing.values()],
    }


def _row(row: BarrierRow, archs: Sequence[str]) -> dict[str, Any]:
    return {
        "kernel": row.kernel,
        "place": f"{row.file}:{row.line}",
        "verdict": row.verdict,
        "cells": [row.verdicts.get(arch, "-") for arch in archs],
        "why": row.why or "no two accesses race without it",
        "sides": row.sides,
    }


def _missing(finding: Finding) -> dict[str, Any]:
    sides = (finding.location, finding.other_location)
    return {
        "kernel": finding.kernel,
        "arch": finding.arch,
        "sides": [excerpt.place(side) for side in sides if side is not None],
        "message": finding.message,
    }
