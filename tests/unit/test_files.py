"""Files that are replaced as a whole."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hipaudit.errors import UsageError
from hipaudit.files import check_writable, replace_text


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond *room* bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_replaced_and_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    path, link = tmp_path / "a.json", tmp_path / "link"
    replace_text(path, "one")
    path.chmod(0o640)
    link.symlink_to(path)
    replace_text(link, "two")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o640)
    assert link.is_symlink()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.json", "link"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_text(path, "old")
    with full_disk(100), pytest.raises(UsageError, match=r"a\.json cannot be written: File too"):
        replace_text(path, "n" * 100_000)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_streams_are_written_in_place(tmp_path: Path) -> None:
    code = "from pathlib import Path; from hipaudit.files import replace_text as w;"
    code += "w(Path('/dev/stdout'), 'hello')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"hello"
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "hello"


@pytest.mark.parametrize("name", ["absent/a.json", ".", "a\0b", "x" * 300, "file/a.json"])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: "):
        replace_text(tmp_path / name, "text")
    if "\0" not in name:  # no argument of a program can have one
        with pytest.raises(UsageError, match="cannot be written: "):
            check_writable(tmp_path / name)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_can_be_written_is_let_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("new.json", "/dev/stdout", str(tmp_path / "new.json")):
        check_writable(Path(name))
    assert not list(tmp_path.iterdir())
