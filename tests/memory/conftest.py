"""Programs under the ledger, each in a process of its own, and what their journals say."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hipaudit import device

Record: TypeAlias = dict[str, Any]

PROGRAM = """
import ctypes, os, sys
from hip import hip

def ok(answer):
    assert int(answer[0].value) == 0, answer
    return answer[1] if len(answer) == 2 else answer[1:]
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended: its exit code, its output, and its journal."""

    code: int
    output: str
    errors: str
    records: list[Record]

    def findings(self, kind: str | None = None) -> list[Record]:
        """Return the findings of a kind, or all of them."""
        found = [r for r in self.records if r["record"] == "finding"]
        return found if kind is None else [r for r in found if r["kind"] == kind]

    def kinds(self) -> list[str]:
        """Return the kinds of all findings, sorted."""
        return sorted(finding["kind"] for finding in self.findings())

    def sums(self, name: str = "memory") -> Record:
        """Return the last record of that name."""
        return [r for r in self.records if r["record"] == name][-1]

    @staticmethod
    def lines(stack: list[Record]) -> list[str]:
        """Return the source text of a stack's frames, innermost first."""
        found = []
        for frame in stack:
            text = Path(frame["file"]).read_text().splitlines()
            found.append(text[frame["line"] - 1].strip())
        return found


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def under_ledger(tmp_path: Path) -> Run:
    """Return a function that runs a Python program on the emulated device."""

    def run(program: str, *, python_path: str = "", **settings: str) -> Ran:
        journal = tmp_path / "journal.jsonl"
        journal.unlink(missing_ok=True)
        file = tmp_path / "app.py"
        file.write_text(PROGRAM + textwrap.dedent(program))
        environment = device.child_environment("emulated", {"journal": str(journal), **settings})
        if python_path:
            paths = [python_path, *filter(None, [environment.get("PYTHONPATH")])]
            environment["PYTHONPATH"] = os.pathsep.join(paths)
        result = subprocess.run(
            [sys.executable, str(file)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        records = device.read_journal(journal)
        return Ran(result.returncode, result.stdout, result.stderr, records)

    return run
