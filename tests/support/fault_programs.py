"""Programs with faults, each run in a process of its own, and their marks.

A mark says which finding a program must give, at which line; what a library did on the program's
behalf counts as done at the program's line.

``# FAULT: kind [severity] [at] [other]`` behind a statement names a side of a finding;
``# ALSO: kind`` allows one that need not be there; ``;`` separates several.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hipaudit.device import child_environment, read_journal
from hipaudit.finding import Finding, Location, Reader, grouped
from hipaudit.memory import memory_use
from hipaudit.memory_hygiene import hygiene_findings

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


def run(program: Path, tmp_path: Path, *arguments: str) -> tuple[Finding, ...]:
    """Return all that is found in a program's run, info included."""
    journal = tmp_path / "journal.jsonl"
    asked = {"build": "checked", **settings(program), "journal": str(journal)}
    result = subprocess.run(
        [sys.executable, str(program), *arguments],
        env=child_environment("emulated", asked),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in result.stderr, result.stderr
    records = read_journal(journal)
    memory = memory_use(records)
    assert memory is not None, "the ledger left no record"
    assert memory.calls, "the ledger saw nothing"
    found = [*Reader().findings(records), *hygiene_findings(memory, "gfx942")]
    return tuple(_of_program(one, program) for one in grouped(found).items)


def _of_program(finding: Finding, program: Path) -> Finding:
    """Return a finding whose sides are the program's own lines, where it has a part in them."""
    sides = finding.called or finding.location, finding.other_location
    at, other = (_line_of(side, program) for side in sides)
    return replace(finding, location=at, other_location=other)


def _line_of(side: Location | None, program: Path) -> Location | None:
    frames = side.frames if side is not None else ()
    own = next((frame for frame in frames if Path(frame.file) == program), None)
    return replace(side, file=own.file, line=own.line) if side is not None and own else side


def described(found: tuple[Finding, ...]) -> list[str]:
    return [
        f"{one.severity} {one.kind} at {one.location.line if one.location else '?'} against "
        f"{one.other_location.line if one.other_location else '-'}: {one.message}"
        for one in found
    ]


def judge(program: Path, found: tuple[Finding, ...]) -> None:
    """Every mark is met by a finding, and every finding by a mark."""
    wanted = expected(program)
    assert wanted
    missing = [w for w in wanted if w.needed and not any(w.matches(one) for one in found)]
    assert not missing, (missing, described(found))
    extra = tuple(one for one in found if not any(w.matches(one) for w in wanted))
    assert not extra, described(extra)
