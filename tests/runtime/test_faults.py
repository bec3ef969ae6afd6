"""The runtime as it must not be written: each fault is found at its line, each twin is silent.

The programs in ``faults`` are pieces of the runtime with one mistake each, those of a published bug
analysis among them; see ``tests/README.md`` for their marks.
"""

from __future__ import annotations

from pathlib import Path

import fault_programs as marks
import pytest

from hipaudit import layouts

FOLDER = Path(__file__).parent / "faults"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "variant")

pytestmark = pytest.mark.runtime


@pytest.mark.parametrize("name", NAMES)
def test_the_fault_is_found_at_its_line(name: str, tmp_path: Path) -> None:
    program = FOLDER / f"{name}.py"
    marks.judge(program, marks.run(program, tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_the_twin_is_silent(name: str, tmp_path: Path) -> None:
    found = marks.run(FOLDER / f"{name}.py", tmp_path, "twin")
    assert found == (), marks.described(found)


def test_offsets_that_were_called_verified() -> None:
    wrong = layouts.compare(layouts.read_binding(FOLDER / "struct_offsets.json"), "6")
    assert [finding.kind for finding in wrong] == ["layout-mismatch"] * 2
    assert "288" in wrong[0].message
    assert "388" in wrong[1].message
    assert not layouts.compare(layouts.read_binding(FOLDER / "struct_offsets_twin.json"), "6")


def test_there_is_a_fault_of_every_kind_that_a_runtime_meets() -> None:
    kinds = {one.kind for name in NAMES for one in marks.expected(FOLDER / f"{name}.py")}
    assert kinds >= {
        *("leak", "double-free", "invalid-free", "mismatched-free", "use-after-free"),
        *("free-in-flight", "copy-out-of-bounds", "missing-synchronisation", "api-error-ignored"),
        *("redundant-copy", "pageable-async-copy"),
    }
    assert len(NAMES) >= 18
