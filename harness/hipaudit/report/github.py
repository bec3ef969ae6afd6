"""An outcome for GitHub's runner: annotations at lines of the change, and a summary of the step.

A workflow command is a line that begins with ``::``; names and messages come from anywhere, so each
part is escaped as the runner unescapes it, and other output runs with commands switched off.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hipaudit.finding import Finding, Location
from hipaudit.outcome import Outcome
from hipaudit.report.excerpt import place, who
from hipaudit.text import code_span, inert, markdown, plural

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}
_MOST = 1 << 20
"""GitHub refuses a step's summary beyond one MiB."""


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation: *level* is error, warning or notice; line 0: the file as a whole."""

    level: str
    title: str
    message: str
    file: str = ""
    line: int = 0

    def command(self) -> str:
        """Return the workflow command."""
        values: list[tuple[str, str]] = []
        if self.file:
            values.append(("file", self.file))
        if self.file and self.line:
            values.append(("line", str(self.line)))
        values.append(("title", self.title))
        properties = ",".join(f"{name}={_property(value)}" for name, value in values)
        return f"::{self.level} {properties}::{_data(self.message)}"


def running() -> bool:
    """Tell whether this process runs on GitHub's runner."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


@contextmanager
def commands_off(to: IO[str]) -> Iterator[None]:
    """Have the runner take nothing that is written meanwhile for a command."""
    if not running():
        yield
        return
    word = secrets.token_hex(16)
    to.write(f"::stop-commands::{word}\n")
    try:
        yield
    finally:
        to.write(f"::{word}::\n")
        to.flush()


def report(outcome: Outcome, to: IO[str]) -> None:
    """Annotate the findings and add to the step's summary, where there is a runner."""
    if not running():
        return
    annotate(notes(outcome), to)
    add_summary(summary(outcome))


def annotate(listed: Iterable[Note], to: IO[str]) -> None:
    """Write annotations; the runner shows ten of each level, so the worst come first."""
    for note in listed:
        to.write(f"{note.command()}\n")
    to.flush()


def add_summary(text: str) -> None:
    """Add Markdown to the step's summary; that there is no room for it costs nothing else."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    data = text.encode()
    try:
        with Path(path).open("ab") as stream:
            if stream.tell() + len(data) > _MOST:
                data = b"\nMore than a step's summary holds: see the log.\n"
            stream.write(data)
    except OSError as error:
        sys.stderr.write(f"hipaudit: the step's summary cannot be written: {error.strerror}\n")


def notes(outcome: Outcome) -> list[Note]:
    """Return an annotation for each root cause."""
    listed = [_note(outcome, finding, archs) for finding, archs in by_cause(outcome)]
    if outcome.void is not None:
        listed.append(Note("error", "hipaudit: void", outcome.void))
    return listed


def by_cause(outcome: Outcome) -> list[tuple[Finding, list[str]]]:
    """Return each root cause once, with the parts that it was found on."""
    causes: dict[str, tuple[Finding, list[str]]] = {}
    for finding in outcome.findings.items:
        causes.setdefault(finding.id, (finding, []))[1].append(finding.arch)
    return list(causes.values())


def _note(outcome: Outcome, finding: Finding, archs: Sequence[str]) -> Note:
    where = f" in {finding.kernel}" if finding.kernel else ""
    parts = ", ".join(arch for arch in archs if arch)
    text = f"{finding.message}{where}{parts and f' on {parts}'}"
    if finding.other_location is not None:
        text += f"; against {place(finding.other_location)}"
    told = outcome.acceptance(finding)
    level = "notice" if outcome.accepted(finding) else _LEVELS[finding.severity]
    file, line = in_workspace(finding.location)
    if not file and finding.location is not None:
        text += f"; at {place(finding.location)}"
    text += f" [{finding.id}]{told and f' {told}'}"
    return Note(level, f"hipaudit: {finding.kind}", text, file, line)


def in_workspace(location: Location | None) -> tuple[str, int]:
    """Return file and line as the runner wants them: below the checkout, else nothing."""
    if location is None or not location.file:
        return "", 0
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    try:
        return Path(location.file).resolve().relative_to(root).as_posix(), location.line
    except (OSError, ValueError):
        return "", 0


def summary(outcome: Outcome) -> str:
    """Return the outcome as Markdown: the verdict, the findings, what ran, the notes."""
    causes = by_cause(outcome)
    if causes:
        verdict = plural(len(causes), "finding")
    else:
        verdict = "clean" if outcome.void is None else f"void: {markdown(outcome.void)}"
    lines = [f"## hipaudit: {verdict}", "", markdown(outcome.device), ""]
    if causes:
        lines += ["| Severity | Kind | Kernel | Where | Who | State | Id |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_row(outcome, finding) for finding, _ in causes]
        lines += [""]
    if outcome.findings.dropped:
        lines += [f"{plural(outcome.findings.dropped, 'more root cause')} not listed.", ""]
    launches = sum(int(row.get("launches") or 0) for row in outcome.kernels)
    accesses = sum(int(row.get("accesses") or 0) for row in outcome.kernels)
    if launches:
        ran = f"{plural(launches, 'launch', 'launches')}, {plural(accesses, 'access', 'accesses')}"
        lines += [f"{ran} checked.", ""]
    lines += [f"- {markdown(note)}" for note in outcome.notes]
    return "\n".join(lines).rstrip() + "\n\n"


def _row(outcome: Outcome, finding: Finding) -> str:
    spot = finding.location
    cells = [
        finding.severity,
        markdown(finding.kind),
        code_span(finding.kernel),
        code_span(place(spot)) if spot else "",
        markdown(who(spot)) if spot else "",
        markdown(outcome.acceptance(finding) or "new"),
        code_span(finding.id),
    ]
    return f"| {' | '.join(cells)} |"


def _data(text: str) -> str:
    shown = inert(text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
