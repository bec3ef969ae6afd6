"""hipaudit audit: the pages it writes, the same each time, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hipaudit.audits.kept import Kept
from hipaudit.cli.audit import _OTHERS
from hipaudit.cli.auditing import OTHERS, make_plan

FAST = ["--only", "softmax", "--only", "dequantise_q8_0", "--examples", "6"]


def audit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", "audit", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    """Return the pages and plots; what differs between runs lives in .run."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".run" not in path.parts
    }


def test_two_audits_write_the_same_bytes(tmp_path: Path) -> None:
    first = audit(*FAST, "--out", "a", "--json", "a.json", cwd=tmp_path)
    second = audit(*FAST, "--out", "b", "--sarif", "b.sarif", cwd=tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert {"index.md", "kernels/softmax.md", "plots/softmax.svg"} <= set(files(tmp_path / "a"))
    assert (tmp_path / "a" / ".run" / "audit.json").is_file()
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["void"] is None
    assert {row["name"] for row in document["kernels"]} == {"softmax", "dequantise_q8_0"}
    assert {row["arch"] for row in document["kernels"]} == {"gfx942", "gfx1100"}
    assert json.loads((tmp_path / "b.sarif").read_text())["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "absent"], "no library kernel is called 'absent'"),
        (["--model", "absent.gguf"], "no weights file absent.gguf"),
        (["--only", "softmax", "--model", "x.gguf"], "--only leaves the model out"),
        (["--hip-device", "rocm"], "no AMD GPU answers"),
        (["--only", "tile_waste", "--out", "/dev/null/reports"], "/dev/null/reports cannot be"),
        (["--json", "absent/a.json"], "absent/a.json cannot be written"),
        (["--history", "absent/h.sqlite"], "absent/h.sqlite cannot be used as a history"),
    ],
)
def test_what_cannot_be_audited_is_one_sentence(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = audit(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    # The first use of a library that is installed builds the ledger over it, and says so.
    said = [line for line in result.stderr.splitlines() if not line.startswith("hipaudit: buil")]
    assert len(said) == 1
    assert says in said[0]
    assert not (tmp_path / "reports").exists()


def test_a_truncated_model_exits_2_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    result = audit("--model", "cut.gguf", cwd=tmp_path)
    assert result.returncode == 2
    assert "cut.gguf is truncated or damaged" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_killed_audit_leaves_the_last_pages_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("softmax", "add", "scale", "silu")
    wanted = [word for name in names for word in ("--only", name)]
    arguments = [*wanted, "--examples", "4", "--out", "a"]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.md").write_text("the last complete one")
    monkeypatch.chdir(tmp_path)
    kept = Kept(make_plan(names, None, 4, "emulated").name)
    running = subprocess.Popen(
        [sys.executable, "-m", "hipaudit", "audit", *arguments],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not any(kept.load(name) for name in names):
            assert running.poll() is None, "it ended before a part was kept"
            time.sleep(0.02)
    finally:
        running.kill()
        running.wait()
    assert (tmp_path / "a" / "index.md").read_text() == "the last complete one"
    result = audit(*arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    facts = json.loads((tmp_path / "a" / ".run" / "audit.json").read_text())
    assert set(facts["parts"]) == set(names)
    assert 0 in facts["parts"].values()
    assert "No findings" in (tmp_path / "a" / "index.md").read_text()
    again = audit(*arguments, cwd=tmp_path)
    assert again.returncode == 0
    facts = json.loads((tmp_path / "a" / ".run" / "audit.json").read_text())
    assert 0 not in facts["parts"].values(), "a complete audit leaves nothing to go on from"


def test_progress_says_what_runs_and_what_is_left(tmp_path: Path) -> None:
    result = audit(*FAST, "--out", "a", cwd=tmp_path)
    assert "hipaudit: 2 of 2 parts done; 0 wait" in result.stderr


def test_every_name_that_only_takes_is_in_the_help() -> None:
    listed = _OTHERS.replace(",", "").split()
    assert sorted(listed) == sorted(OTHERS)


def test_a_quick_audit_says_that_no_example_met_an_adversary(tmp_path: Path) -> None:
    done = audit("--only", "softmax", "--quick", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r" / "kernels" / "softmax.md").read_text(encoding="utf-8")
    assert "No example met a device that uses its freedoms" in page
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| gfx")]
    assert [row[2] for row in rows[:2]] == ["0", "0"]
    quick = make_plan(("softmax",), None, 3, "emulated", quick=True)
    assert quick.name != make_plan(("softmax",), None, 3, "emulated").name
