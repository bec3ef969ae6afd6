"""The baseline: findings that somebody has accepted, with a reason, an owner and an end.

A TOML file beside the sources, reviewed like them::

    [[accepted]]
    id = "race-shared-bbb6ee8c2f"
    reason = "the writers agree on the value"
    owner = "ada"
    expires = 2027-01-31

On its last day an entry still holds; from the next on, the finding counts as new.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import tomlkit
from tomlkit.exceptions import TOMLKitError

from hipaudit.errors import UsageError
from hipaudit.files import replace_text
from hipaudit.text import inert

State: TypeAlias = Literal["new", "accepted", "expired"]

DEFAULT = Path("hipaudit-baseline.toml")
"""Where a baseline is looked for when none is named."""
_KEYS = ("id", "reason", "owner", "expires")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{10}")
_LIMIT = 1 << 24
_HEAD = "Findings that were accepted; `hipaudit baseline --help` says how.\n"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry: *expires* is the last day on which it holds."""

    id: str
    reason: str
    owner: str
    expires: dt.date


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries of a file by finding id, on a day. Without a file there are none."""

    path: Path | None = None
    entries: Mapping[str, Accepted] = field(default_factory=dict)
    today: dt.date = dt.date.min

    def state(self, finding: str) -> State:
        """Return whether a finding is new, accepted, or was accepted for too short a time."""
        entry = self.entries.get(finding)
        if entry is None:
            return "new"
        return "accepted" if self.today <= entry.expires else "expired"

    def expired(self) -> tuple[Accepted, ...]:
        """Return the entries whose time is over."""
        return tuple(entry for entry in self.entries.values() if entry.expires < self.today)


def today() -> dt.date:
    """Return the day in UTC: the same for everyone who shares the file."""
    return dt.datetime.now(dt.timezone.utc).date()


def find(path: Path | None) -> Baseline:
    """Return the named baseline, else the one in the working folder, else one without entries.

    Raises UsageError when a named file is not there, and for a file that is no baseline.
    """
    if path is not None:
        return load(path)
    return load(DEFAULT) if DEFAULT.exists() else Baseline(today=today())


def load(path: Path) -> Baseline:
    """Read a baseline. Raises UsageError with the entry that is wrong and what it lacks."""
    entries: dict[str, Accepted] = {}
    for number, table in enumerate(_tables(_document(path), path), 1):
        entry = _entry(table, f"{path}, entry {number}")
        if entry.id in entries:
            raise UsageError(f"{path}, entry {number}: {entry.id} is accepted above: keep one")
        entries[entry.id] = entry
    return Baseline(path, entries, today())


def _document(path: Path) -> tomlkit.TOMLDocument:
    try:
        if path.stat().st_size > _LIMIT:
            raise UsageError(f"{path} is larger than {_LIMIT >> 20} MiB: that is no baseline")
        return tomlkit.parse(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error


def _tables(document: Mapping[str, Any], path: Path) -> list[Any]:
    unknown = [key for key in document if key != "accepted"]
    tables = document.get("accepted", [])
    if unknown or not isinstance(tables, list):
        wrong = f"has {unknown[0]!r}" if unknown else "has an 'accepted' that is no list"
        raise UsageError(f"{path} {wrong}: it holds tables [[accepted]] alone")
    return list(tables)


def _entry(table: Any, where: str) -> Accepted:
    """Return one entry. Raises UsageError for what is missing, empty or too much."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is no table")
    missing = [key for key in _KEYS if key not in table]
    unknown = [key for key in table if key not in _KEYS]
    if missing or unknown:
        problem = f"has no {missing[0]}" if missing else f"has {unknown[0]!r}"
        raise UsageError(f"{where} {problem}: it takes {', '.join(_KEYS)}")
    for key in _KEYS[:3]:
        if not isinstance(table[key], str) or not table[key].strip():
            raise UsageError(f"{where}: {key} says nothing: it takes a text")
    identity, expires = str(table["id"]).strip(), table["expires"]
    if not _ID.fullmatch(identity):
        raise UsageError(f"{where}: {identity!r} is no finding's id, like race-shared-0123456789")
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise UsageError(f"{where}: expires takes a date without quotes, like 2027-01-31")
    last = dt.date(expires.year, expires.month, expires.day)
    return Accepted(identity, str(table["reason"]).strip(), str(table["owner"]).strip(), last)


def add(path: Path, entries: Iterable[Accepted], about: Mapping[str, str]) -> tuple[str, ...]:
    """Add entries to a file, which need not be there yet; return the ids that were added.

    about  what each finding is, for a comment

    Raises UsageError for an entry that the file could not be read back with.
    """
    before = load(path).entries if path.exists() else {}
    document = _document(path) if path.exists() else tomlkit.document()
    if not path.exists():
        document.add(tomlkit.comment(_HEAD.strip()))
        document.add(tomlkit.nl())
    tables = document.setdefault("accepted", tomlkit.aot())
    added = []
    for entry in entries:
        if entry.id in before:
            raise UsageError(f"{entry.id} is accepted in {path} already: change its entry there")
        table = tomlkit.table()
        if entry.id in about:
            table.add(tomlkit.comment(inert(about[entry.id], limit=200)))
        for key in _KEYS:
            table.add(key, getattr(entry, key))
        _entry(table, entry.id)
        tables.append(table)
        added.append(entry.id)
    replace_text(path, tomlkit.dumps(document))
    return tuple(added)


def prune(path: Path, gone: Iterable[str]) -> None:
    """Take entries out of a file; what else stands there, comments included, stays."""
    document, away = _document(path), set(gone)
    tables = document.get("accepted", [])
    for at in reversed(range(len(tables))):
        if tables[at]["id"].strip() in away:
            del tables[at]
    if not tables:
        document.pop("accepted", None)
    replace_text(path, tomlkit.dumps(document))
