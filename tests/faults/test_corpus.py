"""The corpus of seeded faults says what it should, compiles, and is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.audits.fault_corpus import KINDS, Fault, read_corpus

FOLDER = Path(__file__).parents[2] / "kernels" / "faults"
CORPUS = read_corpus(FOLDER)
FAULTS = tuple(fault for fault in CORPUS if not fault.clean)
CLEAN_KERNELS = tuple(fault for fault in CORPUS if fault.clean)

pytestmark = pytest.mark.faults


def of_kind(kind: str) -> list[Fault]:
    return [fault for fault in CORPUS if fault.kind == kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_fault_and_a_twin(kind: str) -> None:
    assert any(fault.has_twin for fault in of_kind(kind))


def test_there_are_enough_pairs_and_traps() -> None:
    assert len(FAULTS) >= 70
    assert len(CLEAN_KERNELS) >= 15


@pytest.mark.parametrize("claim", ["MS-004", "MS-005", "NP-001", "NP-002", "NP-003"])
def test_claims_about_kernels_have_a_fault(claim: str) -> None:
    forms = [fault for fault in FAULTS if fault.claim == claim]
    assert len(forms) == (2 if claim == "MS-005" else 1)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_marks_its_own_kind_at_every_width_it_shows_at(fault: Fault) -> None:
    for width in fault.widths:
        required = [mark for mark in fault.expected(width) if mark.required]
        kinds = {kind for mark in required for kind in mark.kinds}
        assert fault.kind in kinds or any(mark.width == width for mark in required)
        sides = {mark.side for mark in required}
        assert sides in ({"at"}, {"at", "other"}, {"write", "other"})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_marks_are_on_lines_of_the_fault_and_not_of_the_twin_alone(fault: Fault) -> None:
    assert not {mark.line for mark in fault.marks} & set(twin_lines(fault.path))


@pytest.mark.parametrize("fault", CLEAN_KERNELS, ids=lambda fault: fault.name)
def test_clean_kernels_expect_nothing(fault: Fault) -> None:
    assert not fault.marks
    assert not fault.has_twin
    assert fault.judge == "check"


@pytest.mark.parametrize("fault", CORPUS, ids=lambda fault: fault.name)
def test_every_file_explains_itself(fault: Fault) -> None:
    lines = fault.path.read_text(encoding="utf-8").splitlines()
    prose = [line for line in lines[: lines.index(run_line(lines))] if line.startswith("// ")]
    assert 2 <= len(prose) <= 6
    assert "twin" in " ".join(prose) or fault.clean


def run_line(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("// RUN:"))


def twin_lines(path: Path) -> list[int]:
    """Return the numbers of the lines that only the twin compiles."""
    found, inside = [], [False]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        word = line.strip()
        if word.startswith("#if"):
            inside.append(word == "#ifdef TWIN" or inside[-1])
        elif word == "#else":
            opened_for_fault = not inside.pop()
            inside.append(opened_for_fault)
        elif word == "#endif":
            inside.pop()
        elif inside[-1]:
            found.append(number)
    return found
