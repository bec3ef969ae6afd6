"""The ledger of resolved bugs, from the history of findings: the same bytes for the same file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from hipaudit.anchor import file_name
from hipaudit.history import Entry
from hipaudit.report.page import Page
from hipaudit.text import code_span, markdown, plural

TEMPLATE = "resolved.md.j2"
LINK = "resolved_bugs.md"
_SHOWN = 12
_SEEDED = (
    "The versions here are a seeded fault and its clean twin. `hipaudit history page` writes the "
    "same page from the commits of a project."
)


def page(entries: Sequence[Entry]) -> Page:
    """Return the page of the audit, which runs the ledger on seeded faults and their twins."""
    shown = values(entries) | {"about": _SEEDED}
    summary = f"{shown['fixed']}, {shown['counted']} of them count: the test fails on the old form."
    return Page(LINK, TEMPLATE, shown, "Resolved bugs", summary)


def values(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the page's template shows."""
    fixed = [entry for entry in entries if entry.fixed_in]
    counted = [entry for entry in fixed if entry.verification and entry.verification.counts]
    return {
        "about": "",
        "rows": [_row(entry) for entry in fixed],
        "fixed": plural(len(fixed), "fix", "fixes"),
        "counted": len(counted),
        "open": plural(len(entries) - len(fixed), "finding"),
        "tests": [_test(entry) for entry in fixed],
    }


def _row(entry: Entry) -> dict[str, str]:
    place = f"{file_name(entry.file)}:{entry.line}" if entry.file else ""
    return {
        "id": code_span(entry.id),
        "kernel": code_span(entry.kernel),
        "place": code_span(place),
        "first": code_span(short(entry.first_seen)),
        "fixed": code_span(short(entry.fixed_in)),
        "verdict": verdict(entry),
    }


def _test(entry: Entry) -> dict[str, str]:
    words = entry.test or ("hipaudit", *entry.subject.command)
    return {
        "id": code_span(entry.id),
        "message": markdown(entry.message),
        "command": code_span(shlex.join(words)),
        "folder": code_span(entry.subject.folder),
        "says": markdown(entry.verification.says) if entry.verification else "",
    }


def verdict(entry: Entry) -> str:
    """Return whether the fix counts, and why not where it does not."""
    seen = entry.verification
    if seen is None:
        return "not verified"
    on = code_span(short(seen.version))
    if seen.counts:
        return f"counts: the test fails on {code_span(short(entry.last_seen))}, passes on {on}"
    if not seen.fails_before:
        return "does not count: the test does not fail on the old version"
    return f"does not count: the test does not pass on {on}"


def short(version: str) -> str:
    """Return a commit's first characters; another version as it is."""
    commit, plus, changes = version.partition("+")
    is_commit = len(commit) == 40 and all(digit in "0123456789abcdef" for digit in commit)
    return f"{commit[:_SHOWN]}{plus}{changes}" if is_commit else version
