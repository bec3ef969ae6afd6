"""The reader of the fault corpus: directives, marks, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.audits.fault_corpus import CLEAN, KINDS, Fault, read_corpus, read_fault
from hipaudit.errors import UsageError


def read(tmp_path: Path, text: str, kind: str = "race-shared") -> Fault:
    path = tmp_path / kind / "shape.hip"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_fault(path)


def test_directives(tmp_path: Path) -> None:
    fault = read(
        tmp_path,
        "// What.\n// RUN: --kernel k --grid 1\n// RUN: --arg f32[4]=uniform(-1,1)\n"
        "// WIDTHS: 32\n// SEVERITY: info|warning\n// TIMEOUT: 1\n// JUDGE: oracle dot\n"
        "// CLAIM: MS-004\n// ALSO: unwritten-output\n",
    )
    assert fault.run == (
        *("--kernel", "k", "--grid", "1", "--arg", "f32[4]=uniform(-1,1)"),
        *("--timeout", "1"),
    )
    assert fault.arguments(twin=True)[-2:] == ("-D", "TWIN=1")
    assert fault.widths == ("32",)
    assert fault.severities == ("info", "warning")
    assert (fault.judge, fault.oracle, fault.claim) == ("oracle", "dot", "MS-004")
    assert fault.beside == {"unwritten-output"}
    assert not fault.has_twin


def test_marks(tmp_path: Path) -> None:
    fault = read(
        tmp_path,
        "// RUN: --kernel k\n"
        "a = 1;  // FAULT: race-shared write  // ALSO: race-wave write\n"
        "b = a;  // FAULT: race-shared@64 other; deadlock|timeout@32 at other\n",
    )
    assert fault.lines("write") == {2}
    assert fault.lines("other") == {3}
    assert [mark.required for mark in fault.marks] == [True, False, True, True, True]
    assert {mark.kinds for mark in fault.expected("32") if mark.line == 3} == {
        ("deadlock", "timeout")
    }


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("int a;\n", "no RUN"),
        ("// RUN: -\n// WIDTH: 32\n", "WIDTH is no directive"),
        ("// RUN: -\n// WIDTHS: 48\n", "'48' is none of 32, 64, both"),
        ("// RUN: -\na;  // FAULT: race-sharde write\n", "shape.hip:2: the mark"),
        ("// RUN: -\na;  // FAULT: race-shared\n", "shape.hip:2: the mark"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        read(tmp_path, text)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'race-tea' is no kind of finding"):
        read(tmp_path, "// RUN: -\n", kind="race-tea")
    assert CLEAN not in KINDS


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no corpus"):
        read_corpus(tmp_path / "nowhere")
