"""What an audit has finished is kept, and pages are placed all at once."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from hipaudit.audits.kept import Kept
from hipaudit.audits.kernels import KernelAudit
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.report import placing
from hipaudit.report.catalogue import grouped
from hipaudit.report.page import Page


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("HIPAUDIT_CACHE", str(tmp_path / "cache"))


def audit_of() -> KernelAudit:
    points = {"gfx942": [(1, 0.5)]}
    return KernelAudit(SPECS[0], ({"arch": "gfx942"},), points, (), (), checked=True)


@pytest.mark.usefixtures("_cache")
def test_a_result_is_there_again_with_the_librarys_own_spec() -> None:
    Kept("a plan").save("part", audit_of())
    found = Kept("a plan").load("part")
    assert found == audit_of()
    assert found.spec is SPECS[0]
    assert Kept("a plan").load("another") is None
    assert Kept("another plan").load("part") is None


@pytest.mark.usefixtures("_cache")
def test_fresh_and_complete_audits_have_nothing_kept() -> None:
    for drop in (lambda: Kept("a plan", fresh=True), lambda: Kept("a plan").forget()):
        Kept("a plan").save("part", 1)
        drop()
        assert Kept("a plan").load("part") is None


@pytest.mark.usefixtures("_cache")
def test_a_result_that_was_cut_off_is_none(tmp_path: Path) -> None:
    Kept("a plan").save("part", list(range(1000)))
    (file,) = (tmp_path / "cache").rglob("*.part")
    whole = file.read_bytes()
    odd = (b"", b"\0" * 100, whole[:100], whole[:100] + b"\0" * 100, whole[:60] + whole[61:])
    unknown = (b"\x80\x05\x8c\x02os\x8c\x06absent\x93.", b"\x80\x05\x8c\x06absentQ.")
    for damaged in (*odd, *unknown):
        file.write_bytes(damaged)
        assert Kept("a plan").load("part") is None


@pytest.mark.usefixtures("_cache")
def test_what_nobody_went_on_with_for_a_week_goes(tmp_path: Path) -> None:
    for plan in ("old", "new"):
        Kept(plan).save("part", plan)
    (old,) = (path.parent for path in tmp_path.rglob("*.part") if b"old" in path.read_bytes())
    os.utime(old, (0, 0))
    assert Kept("new").load("part") == "new"
    assert Kept("old").load("part") is None


def test_pages_that_are_not_complete_are_not_placed(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("old")
    (placing.staging(tmp_path) / "index.md").write_text("half")
    again = placing.staging(tmp_path)
    assert not list(again.iterdir())
    assert (tmp_path / "index.md").read_text() == "old"
    (again / "kernels").mkdir()
    (again / "index.md").write_text("new")
    (again / "kernels" / "k.md").write_text("k")
    placing.commit(tmp_path)
    assert (tmp_path / "index.md").read_text() == "new"
    assert (tmp_path / "kernels" / "k.md").read_text() == "k"


def test_one_process_at_a_time_makes_pages(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from hipaudit.report import placing\n"
    code += "with placing.alone(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    with (
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"in\n"

        def make() -> None:
            with placing.alone(tmp_path):
                placing.staging(tmp_path)
                placing.commit(tmp_path)

        done = pool.submit(make)
        assert not wait([done], 0.5).done
        other.stdin.close()
        done.result(60)


def test_a_folder_that_cannot_take_pages_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/reports cannot be written: Not a directory"):
        placing.prepare(tmp_path / "file" / "reports")


def test_placing_that_stopped_in_the_middle_is_finished_by_the_next_run(tmp_path: Path) -> None:
    making = placing.staging(tmp_path)
    for name in ("a.md", "b.md"):
        (making / name).write_text("new")
    making.rename(making.with_name("complete"))
    (making.with_name("complete") / "a.md").rename(tmp_path / "a.md")
    placing.finish(tmp_path)
    assert [(tmp_path / name).read_text() for name in ("a.md", "b.md")] == ["new", "new"]


def test_a_page_belongs_to_a_group() -> None:
    pages = [Page(f"{name}.md", "", {}, name, "") for name in ("ulp_tables", "barriers")]
    titles = [(title, [page.title for page in some]) for title, some in grouped(pages)]
    assert titles == [
        ("Kernel audits", ["barriers"]),
        ("Debug investigations", ["ulp_tables"]),
    ]
    with pytest.raises(KeyError, match="no group of the index has stray"):
        grouped([Page("stray.md", "", {}, "stray", "")])
