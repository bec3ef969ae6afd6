"""What tests found, beyond the terminal: properties in JUnit's XML, annotations on GitHub's runner.

Findings ride on the reports as JSON, so that those of xdist's workers come along.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hipaudit.finding import Finding

VERDICT = "hipaudit"
"""The key of a verdict in a report's ``user_properties``, and so in JUnit's XML."""
FINDING = "hipaudit-finding"
"""The key of a finding there: one property a finding."""


def add_findings(item: pytest.Item, findings: Iterable[Finding]) -> None:
    """Put findings on a test's report."""
    for one in findings:
        place = one.location
        data = {
            "id": one.id,
            "kind": one.kind,
            "severity": one.severity,
            "kernel": one.kernel,
            "arch": one.arch,
            "message": one.message,
            "file": place.file if place else "",
            "line": place.line if place else 0,
        }
        item.user_properties.append((FINDING, json.dumps(data, sort_keys=True)))


def verdicts(reporter: Any) -> Iterator[dict[str, Any]]:
    """Yield the verdicts that came in with the reports."""
    for report in _reports(reporter, "passed", "failed"):
        if getattr(report, "when", "") == "call":
            yield from _values(report, VERDICT)


def annotate(reporter: Any) -> None:
    """Annotate what failed and add to the step's summary, where there is a runner."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from hipaudit.report import github

    notes = list(dict.fromkeys(_notes(reporter)))
    rows = list(verdicts(reporter))
    if not notes and not rows:
        return
    # The runner takes a command where a line begins.
    reporter.ensure_newline()
    for note in notes:
        reporter.write_line(note.command())
    github.add_summary(_summary(notes, rows))


def _notes(reporter: Any) -> Iterator[Any]:
    """Yield an annotation for each finding, and for each property that failed."""
    from hipaudit.finding import Location
    from hipaudit.report.github import Note, in_workspace

    for report in _reports(reporter, "failed", "error"):
        for found in _values(report, FINDING):
            file, line = in_workspace(Location(found["file"], found["line"]))
            text = f"{found['message']} ({report.nodeid}) [{found['id']}]"
            yield Note("error", f"hipaudit: {found['kind']}", text, file, line)
        for verdict in _values(report, VERDICT):
            if report.when != "call":
                continue
            test, at, _ = report.location  # from the root, wherever pytest was started
            place = Location(str(reporter.config.rootpath / test), (at or 0) + 1)
            file, line = in_workspace(place)
            worst = "; ".join(verdict["mismatches"][:1]) or verdict["status"]
            text = f"{verdict['name']} on {verdict['arch']}: {worst} ({report.nodeid})"
            yield Note("error", "hipaudit: numerics", text, file, line)


def _summary(notes: list[Any], rows: list[dict[str, Any]]) -> str:
    from hipaudit.text import code_span, markdown, plural

    said = plural(len(notes), "failure") if notes else "clean"
    lines = [f"## hipaudit in pytest: {said}", ""]
    lines += [f"- {markdown(note.title)}: {markdown(note.message)}" for note in notes]
    if rows:
        lines += [
            "",
            "| Kernel | Part | Elements | Error/bound | Verdict |",
            "|---|---|--:|--:|---|",
        ]
    lines += sorted(
        f"| {code_span(row['name'])} | {markdown(row['arch'])} | {row['elements']:,} "
        f"| {float(row['worst_ratio']):.2f} | {row['status']} |"
        for row in rows
    )
    return "\n".join(lines) + "\n\n"


def _reports(reporter: Any, *outcomes: str) -> Iterator[Any]:
    for outcome in outcomes:
        yield from reporter.stats.get(outcome, ())


def _values(report: Any, name: str) -> Iterator[dict[str, Any]]:
    for key, value in getattr(report, "user_properties", ()):
        if key == name:
            yield json.loads(value)
