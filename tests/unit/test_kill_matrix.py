"""What counts as killing a seeded fault, and what does not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from hipaudit.audits.fault_corpus import Fault, Width, read_fault
from hipaudit.audits.kill_matrix import Kill, judge, kill_matrix
from hipaudit.finding import Finding, Location, Severity

RACE = """\
// A race, and its twin.
// RUN: --kernel k
#ifndef TWIN
a = 1;  // FAULT: race-shared write
#endif
b = a;  // FAULT: race-shared other  // ALSO: race-grid write other
"""


def fault(tmp_path: Path, text: str = RACE, kind: str = "race-shared") -> Fault:
    path = tmp_path / kind / "shape.hip"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_fault(path)


def finding(
    kind: str, line: int, other: int | None = None, severity: Severity = "error"
) -> Finding:
    return Finding(
        id="",
        kind=kind,
        severity=severity,
        kernel="k",
        arch="gfx942",
        message="",
        location=Location("/elsewhere/shape.hip", line),
        other_location=None if other is None else Location("/elsewhere/shape.hip", other),
    )


class Says:
    """A checker that says the same of every fault, and of every twin."""

    def __init__(self, *found: Finding, twin: Iterable[Finding] = ()) -> None:
        """Take what to say."""
        self.found, self.twin = found, tuple(twin)

    def __call__(self, fault: Fault, width: Width, *, twin: bool) -> Iterable[Finding]:
        """Say it."""
        del fault, width
        return self.twin if twin else self.found


def verdict(fault: Fault, checker: Says, width: Width = "64") -> str:
    return judge(fault, width, checker).verdict


@pytest.mark.parametrize("lines", [(4, 6), (6, 4)])
def test_a_race_is_killed_whichever_side_comes_first(
    tmp_path: Path, lines: tuple[int, int]
) -> None:
    assert verdict(fault(tmp_path), Says(finding("race-shared", *lines))) == "killed"


@pytest.mark.parametrize(
    "wrong",
    [
        finding("race-shared", 4, 4),
        finding("race-shared", 4),
        finding("race-shared", 5, 6),
        finding("race-global", 4, 6),
        finding("race-shared", 4, 6, severity="warning"),
    ],
    ids=["pair", "side missing", "line", "kind", "severity"],
)
def test_another_line_kind_or_severity_misses(tmp_path: Path, wrong: Finding) -> None:
    assert verdict(fault(tmp_path), Says(wrong)) == "missed"


def test_lines_of_other_files_are_none(tmp_path: Path) -> None:
    elsewhere = Location("/elsewhere/other.h", 4)
    there = Finding("", "race-shared", "error", "k", "gfx942", "", location=elsewhere)
    assert verdict(fault(tmp_path), Says(there)) == "missed"


def test_silence_misses_and_an_accused_twin_fails(tmp_path: Path) -> None:
    race = finding("race-shared", 4, 6)
    assert verdict(fault(tmp_path), Says()) == "missed"
    hygiene = finding("redundant-barrier", 4, severity="info")
    assert verdict(fault(tmp_path), Says(race, twin=[hygiene])) == "twin accused"


def test_what_follows_from_the_fault_is_no_stray(tmp_path: Path) -> None:
    race = finding("race-shared", 4, 6)
    excused = (
        finding("race-wave", 6, 4, severity="warning"),
        finding("uninitialised-read-shared", 6),
        finding("race-grid", 6, 6),
        finding("redundant-barrier", 1, severity="info"),
    )
    assert verdict(fault(tmp_path), Says(race, *excused)) == "killed"
    for stray in (finding("race-wave", 5, 6), finding("out-of-bounds-shared", 6)):
        kill = judge(fault(tmp_path), "64", Says(race, stray))
        assert (kill.verdict, kill.strays) == ("stray finding", (stray,))


def test_a_fault_of_one_width_is_silent_at_the_other(tmp_path: Path) -> None:
    narrow = fault(tmp_path, RACE.replace("k\n", "k\n// WIDTHS: 32\n"))
    race = finding("race-shared", 5, 7)
    assert verdict(narrow, Says(race), "32") == "killed"
    assert verdict(narrow, Says(), "64") == "silent"
    assert verdict(narrow, Says(race), "64") == "stray finding"


def test_marks_may_hold_at_one_width(tmp_path: Path) -> None:
    text = "// RUN: -\na;  // FAULT: wave-size-dependence@64 at; race-shared@32 at\n"
    either = fault(tmp_path, text, "wave-size-dependence")
    assert verdict(either, Says(finding("wave-size-dependence", 2)), "64") == "killed"
    assert verdict(either, Says(finding("race-shared", 2)), "32") == "killed"
    assert verdict(either, Says(finding("out-of-bounds-shared", 2)), "32") == "missed"


def test_alternative_kinds(tmp_path: Path) -> None:
    text = "// RUN: -\na;  // FAULT: deadlock|timeout at\n"
    stuck = fault(tmp_path, text, "deadlock")
    for kind in ("deadlock", "timeout"):
        cut_off = finding("unwritten-output", 1)
        assert verdict(stuck, Says(finding(kind, 2), cut_off)) == "killed"


def test_two_barriers_are_two_lines(tmp_path: Path) -> None:
    text = "// RUN: -\na;  // FAULT: deadlock at other\nb;  // FAULT: deadlock at other\n"
    stuck = fault(tmp_path, text, "deadlock")
    assert verdict(stuck, Says(finding("deadlock", 3, 2))) == "killed"
    assert verdict(stuck, Says(finding("deadlock", 3))) == "killed"
    assert verdict(stuck, Says(finding("deadlock", 3, 1))) == "missed"


def test_a_clean_kernel_must_not_be_accused(tmp_path: Path) -> None:
    innocent = fault(tmp_path, "// RUN: -\n", "clean")
    assert verdict(innocent, Says()) == "silent"
    assert verdict(innocent, Says(finding("race-wave", 1, 1))) == "twin accused"


def test_the_matrix_has_a_row_for_each_width(tmp_path: Path) -> None:
    text = "// RUN: -\n// WIDTHS: both\na;  // FAULT: wave-size-dependence at\n"
    rows: list[Kill] = list(
        kill_matrix(
            [fault(tmp_path), fault(tmp_path, text, "wave-size-dependence")],
            Says(finding("race-shared", 4, 6)),
        )
    )
    assert [(row.fault.kind, row.width) for row in rows] == [
        ("race-shared", "32"),
        ("race-shared", "64"),
        ("wave-size-dependence", "both"),
    ]
