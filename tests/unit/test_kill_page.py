"""The kill matrix's page shows what the matrix found."""

from __future__ import annotations

from pathlib import Path

from hipaudit.audits.fault_corpus import Fault, Mark
from hipaudit.audits.kill_matrix import Kill
from hipaudit.finding import Finding, Location
from hipaudit.report import kill_page, rendering

RACE = Fault(
    path=Path("kernels/faults/race-shared/double_buffer.hip"),
    kind="race-shared",
    run=("--kernel", "k"),
    marks=(
        Mark(("race-shared",), "write", 16),
        Mark(("race-shared",), "other", 20),
        Mark(("race-wave",), "other", 22, required=False),
    ),
    claim="MS-005",
)
CLEAN = Fault(path=Path("kernels/faults/clean/ping_pong.hip"), kind="clean", run=())
STRAY = Finding(
    id="x",
    kind="race-wave",
    severity="warning",
    kernel="k",
    arch="gfx1100",
    message="two lanes | one word",
    location=Location("/tmp/ping_pong.hip", 7),  # noqa: S108 - a name, not a file
)
KILLS = (
    Kill(RACE, "32", wanted=True, found=(STRAY,), strays=(), twin=()),
    Kill(RACE, "64", wanted=True, found=(), strays=(), twin=()),
    Kill(CLEAN, "32", wanted=False, found=(), strays=(), twin=(STRAY,)),
    Kill(CLEAN, "64", wanted=False, found=(), strays=(), twin=()),
)


def test_values_count_rows_and_name_failures() -> None:
    shown = kill_page.values(KILLS)
    assert (shown["killed"], shown["wanted"], shown["silent"], shown["quiet"]) == (1, 2, 1, 2)
    assert shown["kinds"] == [{"name": "race-shared", "faults": 1, "killed": 1, "wanted": 2}]
    (fault,) = shown["faults"]
    assert fault["lines"] == [16, 20]
    assert fault["kinds"] == ["race-shared"]
    assert fault["cells"] == {"32": "killed", "64": "missed", "both": "-"}
    assert [(row["name"], row["verdict"]) for row in shown["failures"]] == [
        ("race-shared/double_buffer", "missed"),
        ("clean/ping_pong", "twin accused"),
    ]


def test_the_page_prints_every_fault_and_keeps_text_inert() -> None:
    template = rendering.templates().get_template(kill_page.TEMPLATE)
    common = {"version": "0", "device": "d", "compiler": "c", "not_checked": (), "notes": ()}
    text = template.render(**common, **kill_page.values(KILLS))
    assert "**1 of 2 killed**, 1 of 2 silent where silence is right" in text
    assert "double_buffer" in text
    assert "ping_pong.hip:7" in text.replace("\\", "")
    assert "two lanes | one word" not in text
    assert "MS-005" in text.replace("\\", "")
