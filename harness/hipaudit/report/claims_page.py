"""The bug analysis as a report page: the values that its template prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hipaudit.audits.claims.claim import Claim, Claims, Curve, Table
from hipaudit.finding import Finding, Location
from hipaudit.report import claim_plots, excerpt

TEMPLATE = "bug_analysis.md.j2"
LINK = "bug_analysis.md"


def values(claims: Claims, folder: Path) -> dict[str, Any]:
    """Return what the template prints, and draw its plots under *folder*."""
    verdicts = Counter(claim.verdict for claim in claims.items)
    statements = [one for claim in claims.items for one in claim.statements]
    checks = [check for claim in claims.items for check in claim.here]
    return {
        "title": "Bug analysis",
        "counts": [(name, verdicts[name]) for name in ("CONFIRMED", "REFUTED", "FIXED")],
        "statements": len(statements),
        "holding": sum(one.holds for one in statements),
        "open": [claim.id for claim in claims.items if claim.status == "open"],
        "groups": _groups(claims.items),
        "claims": [_claim(claim, folder) for claim in claims.items],
        "checks": len(checks),
        "passed": sum(check.passed for check in checks),
        "unchecked": tuple(line for claim in claims.items for line in claim.unchecked),
        "findings": claims.findings,
    }


def _groups(claims: Sequence[Claim]) -> list[tuple[str, list[Claim]]]:
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.group, []).append(claim)
    return list(groups.items())


def _claim(claim: Claim, folder: Path) -> dict[str, Any]:
    """Return a claim's own part of the page."""
    pictures = [_curve(one, folder) for one in claim.curves]
    if claim.race is not None:
        name = f"plots/{claim.id.lower().replace('-', '')}_race.svg"
        claim_plots.race(claim.race, folder / name)
        pictures.append({"title": "Waves, lanes and barriers of the race", "link": name})
    return {
        "claim": claim,
        "headline": claim.statements[0],
        "causes": _causes(claim.findings),
        "places": [_side(label.capitalize(), place) for label, place in claim.places],
        "tables": [_table(one) for one in claim.tables],
        "pictures": pictures,
    }


def _curve(one: Curve, folder: Path) -> dict[str, str]:
    link = f"plots/{one.name}.svg"
    claim_plots.curve(one, folder / link)
    return {"title": one.title, "link": link}


def _table(one: Table) -> dict[str, Any]:
    return {"title": one.title, "columns": one.columns, "numeric": one.numeric, "rows": one.rows}


def _causes(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings one a root cause, with the parts that it was found on."""
    causes: dict[str, dict[str, Any]] = {}
    for finding in findings:
        if finding.id in causes:
            causes[finding.id]["parts"].append(finding.arch)
            continue
        causes[finding.id] = {
            "finding": finding,
            "parts": [finding.arch or "the host"],
            "what": excerpt.what(finding),
            "sides": [_side(label.capitalize(), side) for label, side in excerpt.sides(finding)],
        }
    return list(causes.values())


def _side(label: str, place: Location) -> dict[str, str]:
    return {
        "label": label,
        "place": excerpt.place(place),
        "who": excerpt.who(place),
        "lines": excerpt.block(place),
    }
