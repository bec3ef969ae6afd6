"""Every seeded fault is found at its line, as its kind, at every width; every twin is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.audits.fault_checker import CorpusChecker
from hipaudit.audits.fault_corpus import Fault, Width, read_corpus
from hipaudit.audits.kill_matrix import Kill, judge, widths_to_run

CORPUS = read_corpus(Path(__file__).parents[2] / "kernels" / "faults")
ROWS = [(fault, width) for fault in CORPUS for width in widths_to_run(fault)]

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> CorpusChecker:
    folder = tmp_path_factory.mktemp("outputs")
    CorpusChecker(folder).prepare(CORPUS[:1])
    checker = CorpusChecker(folder)
    checker.prepare(CORPUS)
    return checker


def row_name(value: Fault | str) -> str:
    return value.name if isinstance(value, Fault) else value


@pytest.mark.parametrize(("fault", "width"), ROWS, ids=row_name)
def test_fault_is_killed_and_twin_is_silent(
    fault: Fault, width: Width, checker: CorpusChecker
) -> None:
    kill = judge(fault, width, checker)
    assert kill.passed, explanation(kill)


def explanation(kill: Kill) -> str:
    """Say what was found, for a person who has to mend the device or the file."""
    lines = [f"{kill.fault.name} at width {kill.width}: {kill.verdict}"]
    for title, findings in (
        ("the fault", kill.found),
        ("stray", kill.strays),
        ("accused in the twin", kill.twin),
    ):
        for one in findings:
            spots = (one.location, one.other_location)
            where = " and ".join(f"{Path(s.file).name}:{s.line}" for s in spots if s)
            lines.append(f"  {title}: {one.severity} {one.kind} at {where or '-'}: {one.message}")
    marks = [f"{m.line} {'|'.join(m.kinds)} {m.side}" for m in kill.fault.expected(kill.width)]
    return "\n".join([*lines, f"  marks: {', '.join(marks)}"])
