"""Programs with one fault each: found at its line; the twin of each: silent."""

from __future__ import annotations

from pathlib import Path

import fault_programs as marks
import pytest

FOLDER = Path(__file__).parent / "programs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
PAIRS = [name for name in NAMES if name != "common" and not name.startswith("newcomer")]

pytestmark = pytest.mark.memory


@pytest.mark.parametrize("name", PAIRS)
def test_the_fault_is_found_at_its_line(name: str, tmp_path: Path) -> None:
    program = FOLDER / f"{name}.py"
    marks.judge(program, marks.run(program, tmp_path))


@pytest.mark.parametrize("name", PAIRS)
def test_the_twin_is_silent(name: str, tmp_path: Path) -> None:
    found = marks.run(FOLDER / f"{name}.py", tmp_path, "twin")
    assert found == (), marks.described(found)


def test_a_newcomer_s_twelve_mistakes(tmp_path: Path) -> None:
    program = FOLDER / "newcomer.py"
    wanted = [one for one in marks.expected(program) if one.needed]
    assert len(wanted) == 12
    marks.judge(program, marks.run(program, tmp_path))


def test_the_newcomer_s_program_put_right(tmp_path: Path) -> None:
    found = marks.run(FOLDER / "newcomer_fixed.py", tmp_path)
    assert found == (), marks.described(found)


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
