"""An outcome as terminal text."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from hipaudit.finding import Allocation, Finding, Findings, Location, identified
from hipaudit.outcome import Outcome
from hipaudit.report.terminal import busy, console, show
from hipaudit.symbolise import Frame


def text_of(outcome: Outcome, *, colour: bool = False) -> str:
    stream = io.StringIO()
    to = console(stream)
    if colour:
        to = Console(file=stream, force_terminal=True, markup=False, highlight=False)
    show(outcome, to)
    return stream.getvalue()


def race(source: Path, arch: str = "gfx942") -> Finding:
    return identified(
        Finding(
            id="",
            kind="race-shared",
            severity="error",
            kernel="k",
            arch=arch,
            message="a write and a read of the same bytes are not ordered",
            count=3,
            location=Location(
                str(source),
                2,
                "k",
                (0, 0, 0),
                (1, 0, 0),
                0,
                1,
                (Frame("helper", "h.h", 4), Frame("k", str(source), 2)),
            ),
            other_location=Location(str(source), 4, "k", (0, 0, 0), (2, 0, 0)),
            address_space="shared",
            access="write",
            bytes=4,
            allocation=Allocation("tile", 0, 256, 16),
            replay="hipaudit replay hip1-x",
        )
    )


def source_file(tmp_path: Path) -> Path:
    path = tmp_path / "k.hip"
    path.write_text("one\ntwo \x1b[31m\nthree\nfour\nfive\nsix\n")
    return path


def test_both_sides_are_shown_with_their_lines_marked(tmp_path: Path) -> None:
    source = source_file(tmp_path)
    text = text_of(Outcome("d", "gfx942", [], Findings((race(source),))))
    assert "error: race-shared in k on gfx942, 3 times" in text
    assert f"at {source}:2, block (0, 0, 0), thread (1, 0, 0), wave 0, lane 1" in text
    assert f"against {source}:4, block (0, 0, 0), thread (2, 0, 0)" in text
    assert ">     2 | two" in text
    assert ">     4 | four" in text
    assert "      3 | three" in text
    assert "write of 4 bytes in shared memory, byte 16 of tile (256 bytes)" in text
    assert "via helper at h.h:4" in text
    assert "hipaudit replay hip1-x" in text
    assert "1 finding" in text


def test_one_cause_on_two_parts_is_shown_once(tmp_path: Path) -> None:
    source = source_file(tmp_path)
    both = Findings((race(source), race(source, "gfx1100")))
    text = text_of(Outcome("d", "gfx942,gfx1100", [], both))
    assert text.count("race-shared in k") == 1
    assert "on gfx942, gfx1100" in text
    assert "1 finding" in text


def test_colours_only_on_a_terminal_and_escapes_of_the_source_never(tmp_path: Path) -> None:
    outcome = Outcome("d", "gfx942", [], Findings((race(source_file(tmp_path)),)))
    assert "\x1b" not in text_of(outcome)
    coloured = text_of(outcome, colour=True)
    assert "\x1b[1;31merror" in coloured
    assert "two \x1b[31m" not in coloured
    assert "\\x1b[31m" in coloured


def test_markup_of_rich_is_text() -> None:
    message = "[link=x]m[/link] a ? b :x: c"
    hostile = Finding("i", "timeout", "warning", "[red]k[/red]", "gfx942", message)
    text = text_of(Outcome("[bold]d", "gfx942", [], Findings((hostile,))))
    assert "[red]k[/red]" in text
    assert message in text


def test_what_goes_on_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with busy("starting [/y]") as tell:
        tell("checking [/x] :x: \x1b[2J")
    shown = terminal.getvalue()
    assert "checking [/x] :x: \\x1b[2J" in shown


def test_long_lines_are_not_folded() -> None:
    finding = Finding("i", "timeout", "error", "k", "gfx942", "word " * 100)
    text = text_of(Outcome("d", "gfx942", [], Findings((finding,))))
    assert "word " * 99 in text


def test_a_clean_and_a_void_run_say_so() -> None:
    rows = [{"name": "k", "arch": "gfx942", "launches": 1, "threads": 64, "accesses": 128}]
    clean = text_of(Outcome("dev", "gfx942", rows, Findings(), ("a note",)))
    assert "clean: no findings (dev)" in clean
    assert "ran k on gfx942: 1 launch, 64 threads, 128 accesses checked" in clean
    assert "note: a note" in clean
    assert "void: no kernel ran" in text_of(Outcome("d", "", [], Findings(), (), "no kernel ran"))


def test_many_kernels_are_added_up_a_part() -> None:
    rows = [
        {"name": f"k{i}", "arch": arch, "launches": 2, "threads": 1000, "accesses": 0}
        for i in range(20)
        for arch in ("gfx942", "gfx1100")
    ]
    text = text_of(Outcome("d", "", rows, Findings()))
    assert "ran 20 kernels on gfx942: 40 launches, 20,000 threads" in text
    assert "k7" not in text


def test_what_is_not_listed_is_counted() -> None:
    finding = Finding("i", "timeout", "error", "k", "gfx942", "m")
    text = text_of(Outcome("d", "gfx942", [], Findings((finding,), dropped=7)))
    assert "7 more root causes not listed" in text


def test_exit_codes() -> None:
    finding = Finding("i", "redundant-barrier", "info", "k", "gfx942", "m")
    found = Outcome("d", "a", [], Findings((finding,)))
    assert (found.exit_code("error"), found.exit_code("info")) == (0, 1)
    void = Outcome("d", "a", [], Findings((finding,)), (), "nothing ran")
    assert (void.exit_code("error"), void.exit_code("info")) == (3, 1)
