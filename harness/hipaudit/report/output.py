"""Where an outcome goes: the terminal, a JSON file, a SARIF file."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from hipaudit import baseline
from hipaudit.baseline import Baseline
from hipaudit.files import check_writable, replace_text
from hipaudit.outcome import Outcome
from hipaudit.report import github
from hipaudit.report.sarif import sarif
from hipaudit.report.terminal import console, show


def write(
    outcome: Outcome,
    *,
    json_to: str | None,
    sarif_to: str | None,
    fail_on: str,
    accepted: Baseline | None = None,
    command: tuple[str, ...] = (),
) -> int:
    """Write an outcome everywhere it was asked for; return the exit code.

    json_to is a path or ``-``; with ``-`` standard output holds the JSON alone and the text for
    people goes to standard error. Without *accepted*, the working folder's baseline holds.
    *command* is what was run, to tell the logs of several runs apart.
    Raises UsageError when a file cannot be written.
    """
    outcome = replace(outcome, baseline=accepted or baseline.find(None))
    code = outcome.exit_code(fail_on)
    people = sys.stderr if json_to == "-" else sys.stdout
    with github.commands_off(people):
        show(outcome, console(stderr=json_to == "-"))
    github.report(outcome, people)
    if json_to is not None:
        document = json.dumps(outcome.as_json(), indent=2) + "\n"
        if json_to == "-":
            sys.stdout.write(document)
            sys.stdout.flush()
        else:
            replace_text(Path(json_to), document)
    if sarif_to is not None:
        log = sarif(outcome, exit_code=code, command=command)
        replace_text(Path(sarif_to), json.dumps(log, indent=2) + "\n")
    return code


def check_places(json_to: str | None, sarif_to: str | None) -> None:
    """Raise UsageError where `write` could not write, before the work that comes first."""
    for path in (json_to, sarif_to):
        if path is not None and path != "-":
            check_writable(Path(path))
