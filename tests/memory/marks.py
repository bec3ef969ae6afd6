"""The marks of a program: which findings it must give, at which lines.

``# FAULT: kind [severity] [at] [other]`` behind a statement names a side of a finding;
``# ALSO: kind`` allows one that need not be there; ``;`` separates several.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hipaudit.finding import Finding, Location

_MARK = re.compile(r"#\s*((?:FAULT|ALSO):.*)$")
_SETTINGS = re.compile(r"#\s*SETTINGS:\s*(.*)$", re.MULTILINE)
_SEVERITIES = {"error", "warning", "info"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A kind that must be found: lines of its own side, lines of the other side (any: empty)."""

    kind: str
    severity: str
    at: frozenset[int]
    other: frozenset[int]
    needed: bool = True

    def matches(self, finding: Finding) -> bool:
        """Tell whether a finding is this one."""
        if finding.kind != self.kind or finding.severity != self.severity:
            return False
        return _within(finding.location, self.at) and _within(finding.other_location, self.other)


def _within(location: Location | None, lines: frozenset[int]) -> bool:
    return not lines or (location is not None and location.line in lines)


def expected(program: Path) -> tuple[Expected, ...]:
    """Return what a program's marks say; one entry a fault."""
    text = program.read_text()
    spans = list(_spans(ast.parse(text)))
    sides: dict[tuple[str, str, bool], tuple[list[int], list[int]]] = {}
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _MARK.search(line)
        for part in match[1].split(";") if match else ():
            needed, kind, severity, words = _parsed(part)
            lines = _statement(spans, number)
            at = words != {"other"}
            if at and "other" not in words and not _paired(kind):
                found.append(Expected(kind, severity, frozenset(lines), frozenset(), needed))
                continue
            pair = sides.setdefault((kind, severity, needed), ([], []))
            pair[0].extend(lines if at else [])
            pair[1].extend(lines if "other" in words else [])
    for (kind, severity, needed), (at_lines, other_lines) in sides.items():
        found.append(Expected(kind, severity, frozenset(at_lines), frozenset(other_lines), needed))
    return tuple(found)


def _paired(kind: str) -> bool:
    """Tell whether a kind has two sides, which then belong together."""
    return kind in {
        "double-free",
        "use-after-free",
        "free-in-flight",
        "missing-synchronisation",
        "api-error-ignored",
        "canary-overwritten",
    }


def _parsed(part: str) -> tuple[bool, str, str, set[str]]:
    """Return whether a mark must be met, its kind, severity and sides."""
    word, _, rest = part.strip().rpartition(":")
    kind, *words = rest.split()
    severity = next((w for w in words if w in _SEVERITIES), "error")
    if word == "ALSO" and severity == "error":
        severity = "warning"
    return word != "ALSO", kind, severity, set(words) - _SEVERITIES


def _spans(tree: ast.AST) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node.lineno, node.end_lineno or node.lineno


def _statement(spans: list[tuple[int, int]], line: int) -> range:
    """Return the lines of the statement that a line belongs to."""
    for first, last in spans:
        if first <= line <= last:
            return range(first, last + 1)
    return range(line, line + 1)


def settings(program: Path) -> dict[str, str]:
    """Return the settings that a program asks for: ``# SETTINGS: build=plain``."""
    match = _SETTINGS.search(program.read_text())
    return dict(word.split("=", 1) for word in match[1].split()) if match else {}
