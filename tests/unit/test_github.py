"""Annotations and step summaries for GitHub's runner, and names that would be commands."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from hipaudit.finding import Finding, Findings, Location, identified
from hipaudit.outcome import Outcome
from hipaudit.report import github
from hipaudit.report.github import Note

COMMAND = re.compile(r"::(?P<level>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def read(line: str) -> dict[str, str]:
    """Return a command as the runner reads it."""
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    found = dict(part.split("=", 1) for part in match["properties"].split(","))
    found |= {"level": match["level"], "message": match["message"]}
    for code, plain in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        found = {key: value.replace(code, plain) for key, value in found.items()}
    return found


def finding(file: str = "k.hip", **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": "",
        "kind": "race-shared",
        "severity": "error",
        "kernel": "k",
        "arch": "gfx942",
        "message": "two threads",
        "location": Location(file, 7, "k", (0, 0, 0), (1, 0, 0)),
        "other_location": Location(file, 9, "k"),
    }
    return identified(Finding(**{**values, **changes}))


def outcome(*findings: Finding, void: str | None = None) -> Outcome:
    return Outcome("emulated device", "gfx942", [], Findings(findings), ("a note",), void)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this process believe in a runner; return the file of the step's summary."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def test_each_root_cause_is_an_annotation_at_its_line(runner: Path) -> None:
    to = io.StringIO()
    github.report(
        outcome(finding(), finding(arch="gfx1100"), finding(severity="info", kind="x")), to
    )
    first, second = (read(line) for line in to.getvalue().splitlines())
    assert (first["level"], first["file"], first["line"]) == ("error", "k.hip", "7")
    assert first["title"] == "hipaudit: race-shared"
    assert "two threads in k on gfx942, gfx1100; against k.hip:9" in first["message"]
    assert second["level"] == "notice"
    assert "2 findings" in runner.read_text()


def test_nothing_is_said_without_a_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    to = io.StringIO()
    github.report(outcome(finding()), to)
    with github.commands_off(to):
        pass
    assert to.getvalue() == ""
    assert not (tmp_path / "summary.md").exists()


HOSTILE = "a\n::error file=x::b\r\n%0A::stop-commands::x,y=1:z\x1b[2J\u202e|<b>`*_"


def test_hostile_names_stay_one_command(runner: Path) -> None:
    to = io.StringIO()
    one = finding(HOSTILE, kind=HOSTILE, kernel=HOSTILE, message=HOSTILE, arch=HOSTILE)
    github.report(outcome(one, void=HOSTILE), to)
    lines = to.getvalue().splitlines()
    assert len(lines) == 2
    for line in lines:
        assert set(read(line)) <= {"file", "line", "title", "level", "message"}
        assert line.isprintable()
    text = runner.read_text()
    assert "<b>" not in text
    assert all(line.isprintable() for line in text.split("\n"))
    rows = [line for line in text.splitlines() if line.startswith("| error")]
    assert [row.count("|") - row.count("\\|") for row in rows] == [8]


def test_files_outside_of_the_checkout_have_no_link(runner: Path) -> None:
    to = io.StringIO()
    github.report(outcome(finding("/opt/x.hip"), finding("../up.hip", kernel="b")), to)
    for line in to.getvalue().splitlines():
        note = read(line)
        assert "file" not in note
        assert "; at " in note["message"]
    assert runner.exists()


def test_other_output_cannot_give_commands(runner: Path) -> None:
    to = io.StringIO()
    with github.commands_off(to):
        to.write("  ::error::forged\n")
    begin, forged, end = to.getvalue().splitlines()
    word = begin.removeprefix("::stop-commands::")
    assert (forged, end) == ("  ::error::forged", f"::{word}::")
    assert re.fullmatch(r"[0-9a-f]{32}", word)
    assert not runner.exists()


def test_a_summary_that_has_no_room_costs_nothing_else(
    runner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.write_bytes(b"x" * ((1 << 20) - 10))
    github.add_summary("y" * 100)
    assert "More than a step's summary holds" in runner.read_text()
    runner.unlink()
    runner.mkdir()
    github.add_summary("y")
    assert "summary cannot be written" in capsys.readouterr().err


def test_a_note_without_a_line() -> None:
    assert Note("error", "t", "m", "f").command() == "::error file=f,title=t::m"
    assert Note("error", "t", "m", "", 7).command() == "::error title=t::m"
