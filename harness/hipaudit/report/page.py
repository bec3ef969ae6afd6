"""Page: a file of the reports, and its line in the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hipaudit.finding import Finding
from hipaudit.report import excerpt
from hipaudit.text import plural

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made from.

    link      of the file, from the reports' folder
    template  prints *values*
    title, summary, status  what the index says of it
    """

    link: str
    template: str
    values: Values
    title: str
    summary: str
    status: str = ""


def status_of(findings: Sequence[Finding], void: str | None) -> str:
    """Return what an audit came to: its root causes counted, void, or clean."""
    if findings:
        return plural(len({finding.id for finding in findings}), "finding")
    return "void" if void else "clean"


def causes(findings: Sequence[Finding]) -> list[Values]:
    """Return findings as the templates print them, one a root cause."""
    found: dict[str, Values] = {}
    for finding in findings:
        if finding.id in found:
            found[finding.id]["archs"].append(finding.arch or "the host")
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
        found[finding.id] = {
            "finding": finding,
            "archs": [finding.arch or "the host"],
            "sides": sides,
            "what": excerpt.what(finding),
        }
    return list(found.values())
