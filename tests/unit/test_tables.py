"""Every table of every page is one: its rows follow its head, with as many cells."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from audit_data import data, evil_finding

from hipaudit.audits import constants
from hipaudit.audits.claims import lifetimes
from hipaudit.audits.claims.claim import Claims
from hipaudit.report.pages import write_reports

_CELLS = re.compile(r"(?<!\\)\|")


def test_heads_separators_and_rows_have_as_many_cells_and_stand_together(tmp_path: Path) -> None:
    claims = Claims((lifetimes.copied_buffer("gfx942"),), ())
    sweeps = (constants.audit((), "emulated"),)
    base = replace(data((evil_finding(tmp_path),)), sweeps=sweeps, claims=claims)
    seen = 0
    for written in write_reports(base, tmp_path / "out"):
        lines = written.text.splitlines()
        for number, line in enumerate(lines):
            if not re.fullmatch(r"\|(?:-+:?\|)+", line):
                continue
            seen += 1
            cells = len(_CELLS.findall(line))
            assert len(_CELLS.findall(lines[number - 1])) == cells, (
                written.path,
                lines[number - 1],
            )
            assert not lines[number - 2].strip(), (written.path, lines[number - 2])
            row = lines[number + 1]
            assert row.startswith("|"), (written.path, line)
            assert len(_CELLS.findall(row)) == cells, (written.path, row)
    assert seen > 12
