"""Does a regression test fail on the version that had the bug? Only then does the fix count.

The old version is the commit at which the finding was last seen, laid out in a folder of its own;
the new one is the working folder. The test is the command that saw the finding, or one that the
user named: of the latter, the files that it names are today's in both.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hipaudit.errors import EXIT_CLEAN, EXIT_FINDINGS
from hipaudit.history import Entry, Verification, git, version

_LIMIT_S = 1800


@dataclass(frozen=True, slots=True)
class Answer:
    """What a test said of one version: *there* is None where it said nothing of the bug."""

    there: bool | None
    says: str = ""


def verify(entry: Entry) -> Verification:
    """Run an entry's test on the commit that had the finding, and on the working folder."""
    top = git("rev-parse", "--show-toplevel")
    now = version()
    if top is None:
        return _unknown(now, "this is no git repository")
    root = Path(top.decode().strip())
    with tempfile.TemporaryDirectory(prefix="hipaudit-before-") as folder:
        before = Path(folder)
        problem = lay_out(entry.last_seen, root, before)
        if problem:
            return _unknown(now, problem)
        if entry.test:
            _bring(entry.test, root / entry.subject.folder, before / entry.subject.folder)
        return compare(entry, before, root, now)


def compare(entry: Entry, before: Path, after: Path, now: str) -> Verification:
    """Run an entry's test in two folders: one of the old version, one of the new."""
    old = ask(entry, before / entry.subject.folder)
    new = ask(entry, after / entry.subject.folder)
    says = [f"before: {old.says}" if old.says else "", f"now: {new.says}" if new.says else ""]
    return Verification(
        now,
        fails_before=old.there is True,
        passes_now=new.there is False,
        says="; ".join(filter(None, says)),
    )


def _unknown(now: str, says: str) -> Verification:
    return Verification(now, fails_before=False, passes_now=False, says=says)


def lay_out(commit: str, root: Path, to: Path) -> str:
    """Write a commit's files to a folder; return why that cannot be, or nothing."""
    if commit.endswith("+changes"):
        return "it was last seen in changes that were not committed"
    if commit.startswith("-"):
        return f"{commit} is no commit"
    data = git("archive", "--format=tar", commit, folder=root)
    if data is None:
        return f"commit {commit} is not in this repository: fetch its history"
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        # Python before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(to)  # noqa: S202 - git wrote it
    # Files are named from the folder that has one.
    (to / ".git").mkdir(exist_ok=True)
    return ""


def _bring(command: Sequence[str], source: Path, target: Path) -> None:
    """Copy the files that a test names."""
    for word in command:
        name = word.split("::")[0]
        path = Path(name)
        if name and not path.is_absolute() and ".." not in path.parts and (source / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / path, target / path)


def ask(entry: Entry, folder: Path) -> Answer:
    """Run an entry's test in a folder."""
    if not folder.is_dir():
        return Answer(None, f"there is no folder {entry.subject.folder}")
    if entry.test:
        return _own_test(entry.test, folder)
    return _reproduction(entry, folder)


def _own_test(command: Sequence[str], folder: Path) -> Answer:
    """Run a test of the user's: it fails with 1, as pytest does; other codes say nothing."""
    found = shutil.which(command[0])
    if found is None:
        return Answer(None, f"there is no program {command[0]}")
    code, _ = _run([found, *command[1:]], folder)
    if code in {EXIT_CLEAN, EXIT_FINDINGS}:
        return Answer(code == EXIT_FINDINGS)
    return Answer(None, f"the test ended with exit code {code}")


def _reproduction(entry: Entry, folder: Path) -> Answer:
    """Run the command that saw the finding, and look for its id."""
    verb, *rest = entry.subject.command
    with tempfile.TemporaryDirectory(prefix="hipaudit-again-") as temporary:
        out = Path(temporary) / "found.json"
        command = [sys.executable, "-m", "hipaudit", verb, "--json", str(out)]
        command += ["--out", str(Path(temporary) / "reports")] if verb == "audit" else []
        command += rest
        code, error = _run(command, folder)
        if not out.is_file():
            return Answer(None, error or f"the command ended with exit code {code}")
        document = json.loads(out.read_text(encoding="utf-8"))
    there = any(one["id"] == entry.id for one in document["findings"])
    if not there and (document["void"] is not None or document["findings_not_listed"]):
        return Answer(None, document["void"] or "not all findings are listed")
    return Answer(there)


def _run(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Return the exit code, and the last line of standard error."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, f"it took more than {_LIMIT_S} s"
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return done.returncode, lines[-1] if lines else ""
