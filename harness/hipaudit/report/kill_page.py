"""The kill matrix as a report page: the values that its template prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hipaudit.audits.fault_corpus import Fault
from hipaudit.audits.kill_matrix import Kill
from hipaudit.finding import Finding, Location

TEMPLATE = "kill_matrix.md.j2"
_NOT_RUN = "-"


def values(kills: Sequence[Kill]) -> dict[str, Any]:
    """Return what the page shows of the matrix's rows, in the corpus's order."""
    by_fault: dict[str, list[Kill]] = {}
    for kill in kills:
        by_fault.setdefault(kill.fault.name, []).append(kill)
    seeded = [rows for rows in by_fault.values() if not rows[0].fault.clean]
    wanted = [kill for kill in kills if kill.wanted]
    quiet = [kill for kill in kills if not kill.wanted]
    killed = sum(kill.passed for kill in wanted)
    return {
        "title": "Kill matrix",
        "summary": "Every seeded fault of kernels/faults, found where it lies, its twin silent: "
        f"{killed} of {len(wanted)} killed.",
        "killed": killed,
        "wanted": len(wanted),
        "silent": sum(kill.passed for kill in quiet),
        "quiet": len(quiet),
        "kinds": _kinds(seeded),
        "failures": [_failure(kill) for kill in kills if not kill.passed],
        "faults": [_row(rows) for rows in seeded],
        "clean": [_row(rows) for rows in by_fault.values() if rows[0].fault.clean],
    }


def _kinds(seeded: Sequence[Sequence[Kill]]) -> list[dict[str, Any]]:
    """Count faults and rows by kind."""
    counts: dict[str, dict[str, Any]] = {}
    for rows in seeded:
        kind = rows[0].fault.kind
        entry = counts.setdefault(kind, {"name": kind, "faults": 0, "killed": 0, "wanted": 0})
        entry["faults"] += 1
        entry["wanted"] += sum(kill.wanted for kill in rows)
        entry["killed"] += sum(kill.wanted and kill.passed for kill in rows)
    return list(counts.values())


def _row(rows: Sequence[Kill]) -> dict[str, Any]:
    """Return one line of a table: a fault, or a clean kernel, with a cell for each width."""
    fault = rows[0].fault
    verdicts = {str(kill.width): kill.verdict for kill in rows}
    return {
        "name": fault.name,
        "link": f"../kernels/faults/{fault.name}.hip",
        "kinds": _kinds_of(fault),
        "lines": sorted({mark.line for mark in fault.marks if mark.required}),
        "cells": {width: verdicts.get(width, _NOT_RUN) for width in ("32", "64", "both")},
        "claim": fault.claim or "",
    }


def _kinds_of(fault: Fault) -> list[str]:
    """Return the kinds that the marks name, the fault's own first."""
    named = {kind for mark in fault.marks if mark.required for kind in mark.kinds}
    return sorted(named, key=lambda kind: (kind != fault.kind, kind))


def _failure(kill: Kill) -> dict[str, Any]:
    """Return a row that is not as expected, with what was found instead."""
    return {
        "name": kill.fault.name,
        "width": kill.width,
        "verdict": kill.verdict,
        "findings": [f"stray: {_sentence(one)}" for one in kill.strays]
        + [f"in the twin: {_sentence(one)}" for one in kill.twin],
    }


def _sentence(one: Finding) -> str:
    places = [_place(side) for side in (one.location, one.other_location) if side is not None]
    where = f" at {' and '.join(places)}" if places else ""
    return f"{one.severity} {one.kind}{where}: {one.message}"


def _place(side: Location) -> str:
    return f"{Path(side.file).name}:{side.line}"
