"""Findings: from journal records, grouped by root cause, with ids that last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hipaudit.device import read_journal
from hipaudit.finding import (
    Finding,
    Findings,
    Location,
    Reader,
    definition_line,
    grouped,
    identified,
)
from hipaudit.symbolise import Frame, Symboliser

SOURCE = """__global__ void k(int* p) {
  p[0] = 1;
  p[1] = 2;
  p[0] = 1;
}
"""


class Fixed(Symboliser):
    """Answers every address with frames given beforehand."""

    def __init__(self, frames: Mapping[int, tuple[Frame, ...]]) -> None:
        super().__init__()
        self._frames = frames

    def frames(self, object_path: str, pc: int) -> tuple[Frame, ...]:
        """Return the frames given for an address."""
        assert object_path == "k.elf"
        return self._frames.get(pc, ())


def record(**changes: Any) -> dict[str, Any]:
    base = {
        "record": "finding",
        "kind": "race-shared",
        "severity": "error",
        "kernel": "k",
        "arch": "gfx942",
        "build": "checked",
        "count": 1,
        "message": "m",
        "location": {"object": "k.elf", "pc": 10, "block": [0, 0, 0], "thread": [1, 0, 0]},
    }
    return {**base, **changes}


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "k.hip"
    path.write_text(SOURCE)
    return str(path)


def at(source: str, line: int, **changes: Any) -> Finding:
    draft = Finding("", "race-shared", "error", "k", "gfx942", "m", location=Location(source, line))
    return identified(Finding(**{**{f: getattr(draft, f) for f in draft.__slots__}, **changes}))


def test_a_record_becomes_a_finding_with_both_sides(source: str) -> None:
    frames = {10: (Frame("k", source, 2),), 20: (Frame("k", source, 3),)}
    other = {"object": "k.elf", "pc": 20, "block": [0, 0, 0], "thread": [2, 0, 0], "lane": 2}
    memory = {"name": "", "address": 4096, "size": 64, "offset": 8}
    reader = Reader(replay="r", input="i", symboliser=Fixed(frames), names={4096: "p"})
    (found,) = reader.findings([record(other_location=other, allocation=memory, bytes=4)])
    assert found.location is not None
    assert found.other_location is not None
    assert (found.location.file, found.location.line) == (source, 2)
    assert (found.other_location.line, found.other_location.lane) == (3, 2)
    assert found.allocation is not None
    assert (found.allocation.name, found.bytes) == ("p", 4)
    data = json.loads(json.dumps(found.as_json()))
    assert data["location"]["thread"] == [1, 0, 0]
    assert data["other_location"]["line"] == 3
    assert (data["replay"], data["input"]) == ("r", "i")
    assert data["id"].startswith("race-shared-")


def test_the_line_shown_is_the_user_s_not_our_header_s(source: str) -> None:
    import hipaudit

    header = str(Path(hipaudit.__file__).parent / "native" / "include" / "hip" / "atomics.h")
    frames = {10: (Frame("atomicAdd", header, 90), Frame("k", source, 2))}
    (found,) = Reader(symboliser=Fixed(frames)).findings([record()])
    assert found.location is not None
    assert (found.location.file, found.location.line) == (source, 2)
    assert [frame.function for frame in found.location.frames] == ["atomicAdd", "k"]


def test_a_finding_without_a_line_keeps_the_file_and_the_thread() -> None:
    (found,) = Reader(symboliser=Fixed({}), file="my.hip").findings([record()])
    assert found.location is not None
    assert (found.location.file, found.location.line) == ("my.hip", 0)
    assert found.location.thread == (1, 0, 0)


def test_odd_records_do_not_hide_the_others() -> None:
    records = [{"record": "launch"}, record(severity="loud", count=None, location=None)]
    (found,) = Reader().findings(records)
    assert found.severity == "error"
    assert found.count == 1


def test_ids_survive_edits_elsewhere_and_differ_between_equal_lines(source: str) -> None:
    before = at(source, 2)
    assert before.id != at(source, 4).id
    moved = Path(source).with_name("moved")
    moved.mkdir()
    (moved / "k.hip").write_text("// one line more\n" + SOURCE)
    assert at(str(moved / "k.hip"), 3).id == before.id
    assert at(source, 2, kind="race-global").id != before.id
    assert at(source, 2, arch="gfx1100").id == before.id


def test_ids_without_a_line_do_not_depend_on_addresses() -> None:
    first = identified(Finding("", "wild-access", "error", "k", "a", "at 0x7f00, 12 bytes"))
    second = identified(Finding("", "wild-access", "error", "k", "a", "at 0x7fff, 16 bytes"))
    third = identified(Finding("", "wild-access", "error", "k", "a", "elsewhere"))
    assert first.id == second.id != third.id


def test_one_root_cause_is_one_finding_with_a_count(source: str) -> None:
    many = [at(source, 2, location=Location(source, 2, thread=(i, 0, 0))) for i in range(9, 0, -1)]
    together = grouped([*many, at(source, 3)])
    assert [f.count for f in together.items] == [9, 1]
    assert together.items[0].location is not None
    assert together.items[0].location.thread == (1, 0, 0)


def test_two_builds_of_one_cause_are_not_counted_twice(source: str) -> None:
    checked = at(source, 2, build="checked", count=5)
    plain = at(source, 2, build="plain", count=3)
    (one,) = grouped([plain, checked]).items
    assert (one.count, one.build) == (5, "checked")


def test_parts_stay_apart_and_errors_come_first(source: str) -> None:
    items = grouped(
        [
            at(source, 2, severity="info", kind="redundant-barrier"),
            at(source, 2),
            at(source, 2, arch="gfx1100"),
        ]
    ).items
    assert [(f.severity, f.arch) for f in items] == [
        ("error", "gfx1100"),
        ("error", "gfx942"),
        ("info", "gfx942"),
    ]


def test_the_cap_is_stated_and_ten_thousand_records_are_quick() -> None:
    findings = [
        identified(Finding("", "wild-access", "error", f"k{i}", "gfx942", "m")) for i in range(300)
    ]
    capped = grouped(findings * 40, cap=100)
    assert (len(capped.items), capped.dropped) == (100, 200)
    assert capped.items[0].count == 40


def test_severity_floors(source: str) -> None:
    findings = Findings((at(source, 2), at(source, 3, severity="warning")))
    assert len(findings.at_or_above("error")) == 1
    assert len(findings.at_or_above("warning")) == 2
    assert len(findings.at_or_above("info")) == 2


def test_the_definition_of_a_kernel_is_found(tmp_path: Path) -> None:
    path = tmp_path / "s.hip"
    path.write_text(
        '// softmax(x)\nvoid softmax_host();\nextern "C" __global__\n'
        "__launch_bounds__(256) void\nsoftmax(float* x) {}\n"
    )
    assert definition_line(path, "softmax") == 5
    assert definition_line(path, "other") == 0
    assert definition_line(tmp_path / "absent.hip", "softmax") == 0


def test_a_journal_cut_short_keeps_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert read_journal(path) == []
    path.write_text(json.dumps(record()) + "\nnot json\n[1]\n" + '{"record": "find')
    assert [r["kind"] for r in read_journal(path)] == ["race-shared"]
    size = path.stat().st_size
    with path.open("a") as file:
        file.write("\n" + json.dumps(record(kind="timeout")) + "\n")
    assert [r["kind"] for r in read_journal(path, size)] == ["timeout"]


def test_a_program_that_lies_nowhere_is_quoted_and_named_by_its_text(tmp_path: Path) -> None:
    def found(program: str, name: str, line: int, text: str) -> Finding:
        kernel = tmp_path / f"{program}.elf"
        kernel.with_suffix(".source").write_text(f"{name}\n{text}")

        class There(Symboliser):
            def frames(self, object_path: str, pc: int) -> tuple[Frame, ...]:  # noqa: ARG002
                return (Frame("k", name, line),)

        place = {"object": str(kernel), "pc": 10}
        (one,) = Reader(symboliser=There()).findings([record(location=place)])
        return one

    first = found("a", "nowhere-1.hip", 2, SOURCE)
    assert first.location is not None
    assert first.location.text() == "p[0] = 1;"
    moved = found("b", "nowhere-2.hip", 4, f"// one\n\n{SOURCE}")
    assert moved.location is not None
    assert moved.location.text() == "p[0] = 1;"
    # Two programs of one name: neither is quoted.
    found("c", "nowhere-1.hip", 2, SOURCE.replace("1", "3"))
    assert first.location.text() == ""
