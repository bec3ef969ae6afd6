"""The history of findings in one SQLite file: first seen, last seen, fixed in, and by which test.

A run covers its *subject*: the command as it was typed, and the folder below the repository in
which it ran. A finding is gone when a later run of the same subject, which ended well and listed
everything, no longer has it; it is fixed when no subject has it any more.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.errors import UsageError
from hipaudit.finding import Finding
from hipaudit.outcome import Outcome

DEFAULT = Path("hipaudit-history.sqlite")
_MARK = 0x68697061
_VERSION = 1
_WAIT_S = 60.0
_ENDS_EARLY = frozenset(
    {"timeout", "deadlock", "wild-access", "stack-overflow", "launch-limit", "argument-mismatch"}
)
"""Kinds behind which a launch may not have come to the other lines."""

_SCHEMA = """
CREATE TABLE runs (run INTEGER PRIMARY KEY, version TEXT NOT NULL, subject TEXT NOT NULL,
                   device TEXT NOT NULL, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE findings (id TEXT PRIMARY KEY, kind TEXT NOT NULL, severity TEXT NOT NULL,
                       kernel TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
                       message TEXT NOT NULL, build TEXT NOT NULL);
CREATE TABLE sightings (id TEXT NOT NULL REFERENCES findings, subject TEXT NOT NULL,
                        first_run INTEGER NOT NULL REFERENCES runs,
                        last_run INTEGER NOT NULL REFERENCES runs,
                        gone_run INTEGER REFERENCES runs, PRIMARY KEY (id, subject));
CREATE TABLE tests (id TEXT PRIMARY KEY REFERENCES findings, command TEXT NOT NULL);
CREATE TABLE verifications (id TEXT PRIMARY KEY REFERENCES findings, version TEXT NOT NULL,
                            fails_before INTEGER NOT NULL, passes_now INTEGER NOT NULL,
                            says TEXT NOT NULL);
"""
_ENTRIES = """
WITH spans AS (
    SELECT id, MIN(first_run) AS first, MAX(last_run) AS last,
           CASE WHEN COUNT(gone_run) = COUNT(*) THEN MAX(gone_run) END AS gone
    FROM sightings GROUP BY id)
SELECT f.id, f.kind, f.severity, f.kernel, f.file, f.line, f.message,
       first.version, last.version, COALESCE(gone.version, ''), last.subject,
       t.command, v.version, v.fails_before, v.passes_now, v.says
FROM findings f JOIN spans s ON s.id = f.id
JOIN runs first ON first.run = s.first JOIN runs last ON last.run = s.last
LEFT JOIN runs gone ON gone.run = s.gone
LEFT JOIN tests t ON t.id = f.id LEFT JOIN verifications v ON v.id = f.id
ORDER BY f.kind, f.file, f.id
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run looks at: the words behind ``hipaudit``, and the folder below the repository."""

    command: tuple[str, ...]
    folder: str = ""

    def text(self) -> str:
        """Return it as one line, the same for the same subject."""
        return json.dumps({"command": self.command, "folder": self.folder}, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a regression test said of a fix.

    version       the one that it was run on, against the one where the finding was last seen
    fails_before  the test fails on the old version, as it must to show anything
    passes_now    it passes on the new one
    says          why it could not be run, or what it said; may be empty
    """

    version: str
    fails_before: bool
    passes_now: bool
    says: str = ""

    @property
    def counts(self) -> bool:
        """A fix counts only when its test fails on the old version, and passes on the new."""
        return self.fails_before and self.passes_now


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding's history; *fixed_in* is empty while it is open.

    subject  the command that saw it last: its reproduction
    test     a regression test of the user's; empty: the reproduction is the test
    """

    id: str
    kind: str
    severity: str
    kernel: str
    file: str
    line: int
    message: str
    first_seen: str
    last_seen: str
    fixed_in: str
    subject: Subject
    test: tuple[str, ...] = ()
    verification: Verification | None = None


@dataclass(frozen=True, slots=True)
class History:
    """An open history; `history` opens one."""

    database: sqlite3.Connection

    def record(self, outcome: Outcome, subject: Subject, version: str, *, whole: bool) -> None:
        """Add a run; *whole*: it ended well, so that what it did not find is not there."""
        text = subject.text()
        listed = whole and outcome.void is None and not outcome.findings.dropped
        with self._transaction():
            run = self.database.execute(
                "INSERT INTO runs (version, subject, device) VALUES (?, ?, ?)",
                (version, text, outcome.device),
            ).lastrowid
            for finding in outcome.findings.items:
                self._saw(finding, text, run)
            kinds = {finding.kind for finding in outcome.findings.items}
            if not listed or kinds & _ENDS_EARLY:
                return
            # The plain build does not run where the checked one found an error.
            hidden = any(one.severity == "error" for one in outcome.findings.items)
            self.database.execute(
                "UPDATE sightings SET gone_run = ?1 WHERE subject = ?2 AND last_run < ?1"
                " AND gone_run IS NULL AND id NOT IN"
                " (SELECT id FROM findings WHERE ?3 AND build = 'plain')",
                (run, text, hidden),
            )

    def _saw(self, finding: Finding, subject: str, run: int | None) -> None:
        place = finding.location
        row = (
            *(finding.id, finding.kind, finding.severity, finding.kernel),
            *(place.file if place else "", place.line if place else 0),
            *(finding.message, finding.build),
        )
        self.database.execute(
            "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " severity = excluded.severity, file = excluded.file, line = excluded.line,"
            " message = excluded.message, build = excluded.build",
            tuple(_storable(value) for value in row),
        )
        self.database.execute(
            "INSERT INTO sightings VALUES (?, ?, ?3, ?3, NULL) ON CONFLICT (id, subject)"
            " DO UPDATE SET last_run = excluded.last_run, gone_run = NULL",
            (finding.id, subject, run),
        )
        # What was verified of a fix says nothing once the finding is back.
        self.database.execute("DELETE FROM verifications WHERE id = ?", (finding.id,))

    def entries(self) -> tuple[Entry, ...]:
        """Return every finding ever seen, by kind and place."""
        return tuple(_entry(row) for row in self.database.execute(_ENTRIES))

    def set_test(self, finding: str, command: tuple[str, ...]) -> None:
        """Say which command is a finding's regression test. UsageError for one never seen."""
        self._known(finding)
        with self._transaction():
            self.database.execute(
                "INSERT OR REPLACE INTO tests VALUES (?, ?)", (finding, json.dumps(command))
            )
            self.database.execute("DELETE FROM verifications WHERE id = ?", (finding,))

    def set_verification(self, finding: str, seen: Verification) -> None:
        """Keep what a regression test said."""
        self._known(finding)
        row = (finding, seen.version, seen.fails_before, seen.passes_now, _storable(seen.says))
        with self._transaction():
            self.database.execute(
                "INSERT OR REPLACE INTO verifications VALUES (?, ?, ?, ?, ?)", row
            )

    def check(self) -> None:
        """Raise sqlite3.Error where nothing can be added."""
        with self._transaction():
            pass

    def _known(self, finding: str) -> None:
        found = self.database.execute("SELECT 1 FROM findings WHERE id = ?", (finding,)).fetchone()
        if found is None:
            raise UsageError(f"the history has no finding {finding}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing, and one writer at a time."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")


@contextmanager
def history(path: Path, *, write: bool = False) -> Iterator[History]:
    """Open a history, and make it where *write* is asked for.

    Raises UsageError where there is none, for a file that is another database or none, and where
    it cannot be written.
    """
    if not write and not path.is_file():
        raise UsageError(f"there is no history {path}: check, exec and audit keep one (--history)")
    address = str(path) if write else f"{path.absolute().as_uri()}?mode=ro"
    try:
        opened = sqlite3.connect(address, timeout=_WAIT_S, isolation_level=None, uri=not write)
        with closing(opened) as database:
            _prepare(database, path)
            yield History(database)
    except sqlite3.Error as error:
        raise UsageError(f"{path} cannot be used as a history: {error}") from error


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file; refuse another program's, and another version's."""
    database.execute("PRAGMA foreign_keys = ON")

    def pragma(name: str) -> int:
        return int(database.execute(f"PRAGMA {name}").fetchone()[0])

    if pragma("application_id") == 0 and pragma("schema_version") == 0:
        database.execute("BEGIN IMMEDIATE")
        if pragma("schema_version") == 0:  # nobody else made them meanwhile
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {_MARK}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")
    if pragma("application_id") != _MARK:
        raise UsageError(f"{path} is another program's database")
    if pragma("user_version") != _VERSION:
        raise UsageError(f"{path} is of another hipaudit: version {pragma('user_version')}")


def _entry(row: Sequence[Any]) -> Entry:
    identity, kind, severity, kernel, file, line, message, first, last, gone = row[:10]
    subject, command, version, before, now, says = row[10:]
    seen = None
    if version is not None:
        seen = Verification(version, fails_before=bool(before), passes_now=bool(now), says=says)
    words = json.loads(subject)
    return Entry(
        id=identity,
        kind=kind,
        severity=severity,
        kernel=kernel,
        file=file,
        line=line,
        message=message,
        first_seen=first,
        last_seen=last,
        fixed_in=gone,
        subject=Subject(tuple(words["command"]), words["folder"]),
        test=tuple(json.loads(command)) if command else (),
        verification=seen,
    )


def _storable(value: Any) -> Any:
    """Return a value without halves of characters, which SQLite cannot hold."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def git(*arguments: str, folder: Path | None = None) -> bytes | None:
    """Return what git says; None where there is no git, no repository, or it fails."""
    program = shutil.which("git")
    if program is None:
        return None
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def version() -> str:
    """Return the commit of the working folder, and whether it has changes beside it."""
    commit = git("rev-parse", "--verify", "HEAD")
    if commit is None:
        return os.environ.get("GITHUB_SHA") or "unversioned"
    changed = git("status", "--porcelain", "--untracked-files=no")
    return commit.decode().strip() + ("+changes" if changed else "")


def subject(command: tuple[str, ...]) -> Subject:
    """Return what a command looks at, run in the working folder."""
    prefix = git("rev-parse", "--show-prefix")
    return Subject(command, os.fsdecode(prefix).strip() if prefix else "")


def check(path: Path | None) -> None:
    """Raise UsageError for a history that cannot be kept, before the run that would be."""
    if path is not None:
        with history(path, write=True) as opened:
            opened.check()


def keep(path: Path | None, outcome: Outcome, command: tuple[str, ...], *, whole: bool) -> None:
    """Add a run to the history, where one is kept."""
    if path is None:
        return
    with history(path, write=True) as opened:
        opened.record(outcome, subject(command), version(), whole=whole)
