"""Programs with one fault each: found at its line; the twin of each: silent."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from hipaudit.device import child_environment, read_journal
from hipaudit.finding import Finding, Reader, grouped
from hipaudit.memory import memory_use
from hipaudit.memory_hygiene import hygiene_findings

FOLDER = Path(__file__).parent / "programs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
PAIRS = [name for name in NAMES if name != "common" and not name.startswith("newcomer")]

_spec = importlib.util.spec_from_file_location("marks", Path(__file__).parent / "marks.py")
assert _spec is not None
assert _spec.loader is not None
marks = importlib.util.module_from_spec(_spec)
sys.modules["marks"] = marks
_spec.loader.exec_module(marks)

pytestmark = pytest.mark.memory


def run(program: Path, tmp_path: Path, *arguments: str) -> tuple[Finding, ...]:
    """Return all that is found in a program's run, info included."""
    journal = tmp_path / "journal.jsonl"
    asked = {"build": "checked", **marks.settings(program), "journal": str(journal)}
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
    return grouped(found).items


def described(found: tuple[Finding, ...]) -> list[str]:
    return [
        f"{one.severity} {one.kind} at {one.location.line if one.location else '?'} against "
        f"{one.other_location.line if one.other_location else '-'}: {one.message}"
        for one in found
    ]


def judge(program: Path, found: tuple[Finding, ...]) -> None:
    """Every mark is met by a finding, and every finding by a mark."""
    wanted = marks.expected(program)
    assert wanted
    missing = [w for w in wanted if w.needed and not any(w.matches(one) for one in found)]
    assert not missing, (missing, described(found))
    extra = tuple(one for one in found if not any(w.matches(one) for w in wanted))
    assert not extra, described(extra)


@pytest.mark.parametrize("name", PAIRS)
def test_the_fault_is_found_at_its_line(name: str, tmp_path: Path) -> None:
    program = FOLDER / f"{name}.py"
    judge(program, run(program, tmp_path))


@pytest.mark.parametrize("name", PAIRS)
def test_the_twin_is_silent(name: str, tmp_path: Path) -> None:
    found = run(FOLDER / f"{name}.py", tmp_path, "twin")
    assert found == (), described(found)


def test_a_newcomer_s_twelve_mistakes(tmp_path: Path) -> None:
    program = FOLDER / "newcomer.py"
    wanted = [one for one in marks.expected(program) if one.needed]
    assert len(wanted) == 12
    judge(program, run(program, tmp_path))


def test_the_newcomer_s_program_put_right(tmp_path: Path) -> None:
    found = run(FOLDER / "newcomer_fixed.py", tmp_path)
    assert found == (), described(found)


def test_every_kind_at_the_api_has_a_pair() -> None:
    kinds = {one.kind for name in PAIRS for one in marks.expected(FOLDER / f"{name}.py")}
    # layout-mismatch is a matter of declarations: tests/unit/test_layouts.py.
    assert kinds >= {
        *("leak", "double-free", "invalid-free", "mismatched-free", "use-after-free"),
        *("free-in-flight", "copy-out-of-bounds", "canary-overwritten", "launch-limit"),
        *("missing-synchronisation", "argument-mismatch", "api-error-ignored"),
        *("redundant-copy", "pageable-async-copy", "hidden-synchronisation"),
    }
    assert len(PAIRS) >= 25
