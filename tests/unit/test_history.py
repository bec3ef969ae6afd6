"""The history of findings: what came, what went, and whether a fix counts."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hipaudit import history as histories
from hipaudit import regression
from hipaudit.audits import resolved_bugs
from hipaudit.errors import UsageError
from hipaudit.finding import Finding, Findings, Location, identified
from hipaudit.history import Entry, History, Subject, Verification, history
from hipaudit.outcome import Outcome
from hipaudit.report import rendering, resolved_page

SUBJECT = Subject(("check", "k.hip"))


def finding(kernel: str = "k", **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": "",
        "kind": "race-shared",
        "severity": "error",
        "kernel": kernel,
        "arch": "gfx942",
        "build": "checked",
        "message": "m",
        "location": Location("k.hip", 3),
    }
    return identified(Finding(**{**values, **changes}))


def outcome(*findings: Finding, **changes: Any) -> Outcome:
    return Outcome("device", "gfx942", [], Findings(findings), **changes)


def fixed(opened: History) -> dict[str, str]:
    return {entry.kernel: entry.fixed_in for entry in opened.entries()}


def test_a_finding_comes_goes_and_comes_back(tmp_path: Path) -> None:
    one, two = finding("one"), finding("two")
    with history(tmp_path / "h.sqlite", write=True) as opened:
        opened.record(outcome(one, two), SUBJECT, "v1", whole=True)
        opened.record(outcome(two), SUBJECT, "v2", whole=True)
        assert fixed(opened) == {"one": "v2", "two": ""}
        opened.set_verification(one.id, Verification("v2", fails_before=True, passes_now=True))
        opened.record(outcome(two), SUBJECT, "v3", whole=True)
        assert fixed(opened)["one"] == "v2"
        opened.record(outcome(one), SUBJECT, "v4", whole=True)
    with history(tmp_path / "h.sqlite") as opened:
        assert fixed(opened) == {"one": "", "two": "v4"}
        (entry,) = (entry for entry in opened.entries() if entry.kernel == "one")
    assert (entry.first_seen, entry.last_seen, entry.verification) == ("v1", "v4", None)
    assert (entry.subject, entry.file, entry.line) == (SUBJECT, "k.hip", 3)


@pytest.mark.parametrize(
    ("later", "whole"),
    [
        (outcome(void="no kernel ran"), True),
        (Outcome("d", "a", [], Findings((), 3)), True),
        (outcome(finding("x", kind="deadlock")), True),
        (outcome(), False),
    ],
    ids=["void", "not all listed", "ended early", "the program failed"],
)
def test_a_run_that_did_not_look_fixes_nothing(tmp_path: Path, later: Outcome, whole: bool) -> None:
    with history(tmp_path / "h.sqlite", write=True) as opened:
        opened.record(outcome(finding()), SUBJECT, "v1", whole=True)
        opened.record(later, SUBJECT, "v2", whole=whole)
        assert fixed(opened)["k"] == ""


def test_another_subject_fixes_nothing(tmp_path: Path) -> None:
    other = Subject(("check", "k.hip", "--seed", "2"))
    with history(tmp_path / "h.sqlite", write=True) as opened:
        opened.record(outcome(finding()), SUBJECT, "v1", whole=True)
        opened.record(outcome(finding()), other, "v1", whole=True)
        opened.record(outcome(), other, "v2", whole=True)
        assert fixed(opened) == {"k": ""}
        opened.record(outcome(), SUBJECT, "v3", whole=True)
        assert fixed(opened) == {"k": "v3"}


def test_findings_of_a_build_that_did_not_run_stay(tmp_path: Path) -> None:
    plain, checked = finding("plain", build="plain"), finding("checked", build="checked")
    with history(tmp_path / "h.sqlite", write=True) as opened:
        opened.record(outcome(plain), SUBJECT, "v1", whole=True)
        opened.record(outcome(checked), SUBJECT, "v2", whole=True)
        assert fixed(opened) == {"plain": "", "checked": ""}
        opened.record(outcome(), SUBJECT, "v3", whole=True)
        assert fixed(opened) == {"plain": "v3", "checked": "v3"}


def test_hostile_texts_are_kept_and_shown_inert(tmp_path: Path) -> None:
    text = "a'); DROP TABLE runs;--\udcff|\n<b>\x1b"
    with history(tmp_path / "h.sqlite", write=True) as opened:
        opened.record(
            outcome(finding(text, message=text)), SUBJECT, text.replace("\udcff", ""), whole=True
        )
        opened.record(outcome(), SUBJECT, "v2", whole=True)
        values = resolved_page.values(opened.entries())
    (row,) = values["rows"]
    assert all(value.isprintable() and "<b>" not in value for value in row.values())


def test_concurrent_runs_share_one_file(tmp_path: Path) -> None:
    def run(number: int) -> None:
        with history(tmp_path / "h.sqlite", write=True) as opened:
            opened.record(outcome(finding(f"k{number}"), finding()), SUBJECT, "v", whole=False)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(24)))
    with history(tmp_path / "h.sqlite") as opened:
        assert len(opened.entries()) == 25


def test_what_is_no_history_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with pytest.raises(UsageError, match="there is no history"), history(path):
        pass
    path.write_bytes(b"no database" * 100)
    with pytest.raises(UsageError, match="cannot be used"), history(path, write=True):
        pass
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(UsageError, match="another program's"), history(path, write=True):
        pass
    with pytest.raises(UsageError, match="cannot be used"):  # noqa: SIM117 - it fails as it opens
        with history(tmp_path / "absent" / "h.sqlite", write=True):
            pass
    path.unlink()
    with history(path, write=True) as opened:
        opened.database.execute("PRAGMA user_version = 9")
    with pytest.raises(UsageError, match="of another hipaudit: version 9"), history(path):
        pass
    path.unlink()
    with history(path, write=True) as opened, pytest.raises(UsageError, match="has no finding"):
        opened.set_test("leak-0123456789", ("true",))


RACE = """extern "C" __global__ void sums(const float* x, float* y) {
  __shared__ float part[256];
  part[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = part[255 - threadIdx.x];
}
"""
MENDED = RACE.replace("  y[", "  __syncthreads();\n  y[")
LAUNCH = ["--block", "256", "--arg", "f32[256]=iota", "--arg", "f32[256]", "--arch", "gfx942"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of somebody else's; git is what it needs."""
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    git(tmp_path, "init", "-q")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    program = shutil.which("git") or "git"
    subprocess.run([program, *names, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, text: str) -> None:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "k.hip").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "k")


def hipaudit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_fix_counts_when_its_test_fails_on_the_old_version(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From a race through its fix to the ledger's page; then a test that shows nothing."""
    file = str(tmp_path_factory.mktemp("kept") / "h.sqlite")
    check = ("check", "k.hip", *LAUNCH, "--history", file)
    commit(repository, RACE)
    assert hipaudit(*check, cwd=repository / "src").returncode == 1
    commit(repository, "// moved\n" + MENDED)
    assert hipaudit(*check, cwd=repository / "src").returncode == 0
    verify = hipaudit("history", "verify", "--history", file, cwd=repository)
    assert verify.returncode == 0, verify.stdout + verify.stderr
    assert "counts: its test fails on the old version" in verify.stdout
    pages = []
    for name in "ab":
        page = ("history", "page", "--history", file, "--out", name)
        assert hipaudit(*page, cwd=repository).returncode == 0
        pages.append((repository / name).read_bytes())
    assert pages[0] == pages[1]
    assert b"1 fix, 1 of them count; 0 findings open" in pages[0]
    with history(Path(file)) as opened:
        (entry,) = opened.entries()
    vain = ("history", "test", entry.id, "--history", file, "--", "true")
    assert hipaudit(*vain, cwd=repository).returncode == 0
    verify = hipaudit("history", "verify", "--history", file, cwd=repository)
    assert verify.returncode == 1
    assert "does not fail on the old version" in verify.stdout


def entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": "race-shared-0123456789",
        "kind": "race-shared",
        "severity": "error",
        "kernel": "k",
        "file": "k.hip",
        "line": 3,
        "message": "m",
        "first_seen": "v1",
        "last_seen": "v1",
        "fixed_in": "v2",
        "subject": SUBJECT,
        **changes,
    }
    return Entry(**values)


@pytest.mark.parametrize(
    ("old", "new", "before", "now"),
    [
        (1, 0, True, True),
        (0, 0, False, True),
        (1, 1, True, False),
        (2, 0, False, True),
        (1, 5, True, False),
    ],
)
def test_the_exit_codes_of_a_test(
    tmp_path: Path, old: int, new: int, before: bool, now: bool
) -> None:
    for name, code in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code").write_text(str(code))
    one = entry(test=(sys.executable, "-c", "raise SystemExit(int(open('code').read()))"))
    seen = regression.compare(one, tmp_path / "old", tmp_path / "new", "v2")
    assert (seen.fails_before, seen.passes_now) == (before, now)
    assert bool(seen.says) == (not {old, new} <= {0, 1})


def test_the_ledger_holds_on_a_seeded_fault_and_its_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolved_bugs, "PAIRS", resolved_bugs.PAIRS[:1])
    steps: list[None] = []
    ledger = resolved_bugs.audit(lambda: steps.append(None))
    assert len(steps) == resolved_bugs.planned()
    assert ledger.void is None
    (one,) = ledger.entries
    assert (one.kind, one.first_seen, one.fixed_in) == ("race-shared", "fault", "twin")
    assert one.verification is not None
    assert one.verification.counts
    page = resolved_page.page(ledger.entries)
    text = rendering.page(page.template, page.values)
    assert "**1 fix, 1 of them count; 0 findings open.**" in text
    assert "hipaudit-versions-" not in text


def test_a_test_of_today_runs_on_the_code_of_then(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    commit(repository, RACE)
    before = histories.version()
    commit(repository, MENDED)
    (repository / "new_test.py").write_text(
        "raise SystemExit('syncthreads' not in open('src/k.hip').read())\n"
    )
    one = entry(last_seen=before, test=(sys.executable, "new_test.py"))
    assert regression.verify(one).counts
    for commits in ("0" * 40, "--output=x", f"{before}+changes"):
        seen = regression.verify(entry(last_seen=commits, test=("true",)))
        assert not seen.counts
        assert seen.says
    assert not (repository / "x").exists()


def test_versions_name_the_commit_and_changes(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    assert histories.version() == "unversioned"
    commit(repository, RACE)
    clean = histories.version()
    assert len(clean) == 40
    (repository / "src" / "k.hip").write_text(MENDED)
    assert histories.version() == f"{clean}+changes"
    monkeypatch.chdir(repository / "src")
    assert histories.subject(("check",)).folder == "src/"
