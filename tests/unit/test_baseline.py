"""The baseline: what is accepted, until when, and what it refuses."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipaudit import baseline
from hipaudit.baseline import Accepted, Baseline
from hipaudit.cli import app
from hipaudit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_VOID, UsageError
from hipaudit.finding import Finding, Findings, identified
from hipaudit.outcome import Outcome

DAY = dt.date(2026, 2, 28)
ID = "race-shared-0123456789"
ENTRY = f"""[[accepted]]
id = "{ID}"
reason = "the writers agree"
owner = "ada"
expires = 2026-02-28
"""


def accepted(identity: str = ID, expires: dt.date = DAY) -> Accepted:
    return Accepted(identity, "the writers agree", "ada", expires)


def named(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_an_entry_holds_to_the_end_of_its_last_day() -> None:
    one = {ID: accepted()}
    assert Baseline(None, one, DAY - dt.timedelta(days=1)).state(ID) == "accepted"
    assert Baseline(None, one, DAY).state(ID) == "accepted"
    assert Baseline(None, one, DAY + dt.timedelta(days=1)).state(ID) == "expired"
    assert Baseline(None, {}, DAY).state(ID) == "new"
    assert Baseline(None, {ID: accepted(expires=dt.date.max)}, dt.date.max).state(ID) == "accepted"


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    hostile = Accepted(
        "leak-aaaaaaaaaa", 'a "quote"\n[[accepted]]\nid = 1', "ünï \\ 'x'", dt.date.max
    )
    about = {ID: "race\n[[accepted]]\nx = 1", hostile.id: "\x1b[2J"}
    assert baseline.add(path, [accepted()], about) == (ID,)
    assert baseline.add(path, [hostile], about) == (hostile.id,)
    loaded = baseline.load(path)
    assert list(loaded.entries.values()) == [accepted(), hostile]
    with pytest.raises(UsageError, match="already"):
        baseline.add(path, [accepted()], {})
    assert list(tmp_path.iterdir()) == [path]


def test_pruning_keeps_what_else_stands_there(tmp_path: Path) -> None:
    other = ENTRY.replace(ID, "leak-aaaaaaaaaa")
    path = named(tmp_path / "b.toml", f"# ours\n\n{ENTRY}\n# about the leak\n{other}")
    baseline.prune(path, [ID])
    assert list(baseline.load(path).entries) == ["leak-aaaaaaaaaa"]
    assert "# ours" in path.read_text()
    baseline.prune(path, ["leak-aaaaaaaaaa"])
    assert baseline.load(path).entries == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY.replace('reason = "the writers agree"\n', ""), "entry 1 has no reason"),
        (ENTRY.replace('owner = "ada"\n', ""), "entry 1 has no owner"),
        (ENTRY.replace("expires = 2026-02-28\n", ""), "entry 1 has no expires"),
        (ENTRY.replace("the writers agree", "  "), "reason says nothing"),
        (ENTRY.replace('"ada"', "1"), "owner says nothing"),
        (ENTRY.replace("2026-02-28", '"2026-02-28"'), "a date without quotes"),
        (ENTRY.replace("2026-02-28", "2026-02-28T10:00:00Z"), "a date without quotes"),
        (ENTRY.replace("2026-02-28", "2026-02-30"), "is no TOML"),
        (ENTRY.replace(ID, "all"), "'all' is no finding's id"),
        (ENTRY.replace(ID, "../../etc-0123456789"), "is no finding's id"),
        (ENTRY + ENTRY, f"entry 2: {ID} is accepted above"),
        (ENTRY + "until = 1\n", "has 'until'"),
        ("fail = false\n" + ENTRY, "has 'fail'"),
        ("accepted = 1\n", "no list"),
        ("accepted = [1]\n", "is no table"),
        ("[[accepted]\n", "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = named(tmp_path / "b.toml", text)
    with pytest.raises(UsageError) as error:
        baseline.load(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no TOML"):
        baseline.load(tmp_path / "b.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        baseline.find(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        baseline.load(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert baseline.find(None).path is None


def outcome(*findings: Finding, dropped: int = 0, void: str | None = None) -> Outcome:
    known = Baseline(Path("b.toml"), {one.id: accepted(one.id) for one in findings[:1]}, DAY)
    return Outcome("d", "a", [], Findings(findings, dropped), (), void, baseline=known)


def finding(kernel: str, severity: str = "error") -> Finding:
    return identified(Finding("", "race-grid", severity, kernel, "gfx942", "m"))  # type: ignore[arg-type]


def test_new_fails_for_what_is_not_accepted_alone() -> None:
    known, other = finding("k"), finding("other", "info")
    assert outcome(known).exit_code("new") == EXIT_CLEAN
    assert outcome(known).exit_code("error") == EXIT_FINDINGS
    assert outcome(known, other).exit_code("new") == EXIT_FINDINGS
    assert outcome(known, void="nothing ran").exit_code("new") == EXIT_VOID
    # What is not listed cannot be known to be accepted.
    assert outcome(known, dropped=1).exit_code("new") == EXIT_FINDINGS


def test_an_expired_entry_counts_as_new_and_says_so() -> None:
    known = finding("k")
    late = Baseline(Path("b.toml"), {known.id: accepted(known.id)}, DAY + dt.timedelta(days=1))
    run = Outcome("d", "a", [], Findings((known,)), baseline=late)
    assert run.exit_code("new") == EXIT_FINDINGS
    assert run.acceptance(known) == "new: ada's acceptance expired on 2026-02-28"
    assert run.as_json()["findings"][0]["state"] == "expired"


RACE = """extern "C" __global__ void sums(const float* x, float* y) {
  __shared__ float part[256];
  part[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = part[255 - threadIdx.x];
}
"""
ANOTHER = RACE.replace("  y[", "  part[threadIdx.x + 1] = 0.0f;\n  y[")
LAUNCH = ["--grid", "1", "--block", "256", "--arg", "f32[256]=iota", "--arg", "f32[256]"]


def hipaudit(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", *arguments]
    inherited = {**os.environ, **environment}
    return subprocess.run(
        command, cwd=cwd, env=inherited, capture_output=True, text=True, check=False
    )


def test_a_gate_from_the_first_finding_to_the_last(tmp_path: Path) -> None:
    """A race is accepted, moves, meets another one, expires and is mended."""
    kernel = named(tmp_path / "k.hip", RACE)
    check = ("check", "k.hip", *LAUNCH, "--arch", "gfx942", "--json", "f.json", "--fail-on", "new")
    assert hipaudit(*check, cwd=tmp_path).returncode == 1
    add = ("baseline", "add", "--from", "f.json", "--reason", "known", "--owner", "ada")
    assert hipaudit(*add, cwd=tmp_path).returncode == 0
    kernel.write_text("// moved\n\n" + RACE.replace("= part", "=   part"))
    moved = hipaudit(*check, cwd=tmp_path)
    assert moved.returncode == 0, moved.stdout
    assert "by ada: known" in moved.stdout
    kernel.write_text(ANOTHER)
    assert hipaudit(*check, cwd=tmp_path).returncode == 1
    states = {
        one["kind"]: one["state"]
        for one in json.loads((tmp_path / "f.json").read_text())["findings"]
    }
    assert states["out-of-bounds-shared"] == "new"
    kernel.write_text(RACE)
    file = tmp_path / "hipaudit-baseline.toml"
    expires = next(line for line in file.read_text().splitlines() if "expires" in line)
    file.write_text(file.read_text().replace(expires, "expires = 2020-01-01"))
    late = hipaudit(*check, cwd=tmp_path)
    assert late.returncode == 1
    assert "acceptance expired on 2020-01-01" in late.stdout
    assert "1 of them expired" in hipaudit("baseline", "list", cwd=tmp_path).stdout
    assert "removed race-shared-" in hipaudit("baseline", "prune", cwd=tmp_path).stdout
    assert baseline.load(file).entries == {}


def test_a_broken_baseline_stops_a_command_before_it_runs(tmp_path: Path) -> None:
    named(tmp_path / "k.hip", RACE)
    named(tmp_path / "hipaudit-baseline.toml", ENTRY.replace('owner = "ada"\n', ""))
    result = hipaudit("check", "k.hip", *LAUNCH, cwd=tmp_path)
    assert result.returncode == 2
    assert "has no owner" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "--reason", "r", "--owner", "o"], "name ids"),
        (["add", "x", "--reason", "r", "--owner", "o"], "is no finding's id"),
        (["add", ID, "--reason", " ", "--owner", "o"], "reason says nothing"),
        (["add", ID, "--reason", "r", "--owner", "o", "--expires", "soon"], "a date like"),
        (["add", ID, "--reason", "r", "--owner", "o", "--expires", "2020-01-01"], "is over"),
        (["add", "--from", "x.json", "--reason", "r", "--owner", "o"], "cannot be read"),
        (["add", "--from", "n.json", "--reason", "r", "--owner", "o"], "not what hipaudit writes"),
        (["add", "--from", "m.json", "--reason", "r", "--owner", "o"], "not what hipaudit writes"),
        (["list"], "cannot be read"),
        (["prune"], "cannot be read"),
    ],
)
def test_what_the_command_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    (tmp_path / "n.json").write_text("[]")
    found = {"id": ID, "kind": "leak", "location": "here"}
    document = {"void": None, "findings_not_listed": 0, "findings": [found]}
    (tmp_path / "m.json").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["baseline", *arguments])
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)
    assert not (tmp_path / "hipaudit-baseline.toml").exists()
