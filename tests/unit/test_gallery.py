"""The committed pages: all that is there is reached from the index, and every link leads there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"


def linked(page: Path) -> set[Path]:
    """The files that a page links to or shows, but for headings of its own."""
    found = set()
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        for child in token.children or ():
            target = str(child.attrGet("href") or child.attrGet("src") or "#")
            if not target.startswith(("#", "http")):
                found.add((page.parent / target.partition("#")[0]).resolve())
    return found


def committed() -> set[Path]:
    listed = subprocess.run(
        [shutil.which("git") or "git", "ls-files", "-z", "reports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so nothing says what is committed")
    return {ROOT / name for name in listed.stdout.split("\0") if name}


def test_every_committed_page_and_plot_is_reached_from_the_index() -> None:
    reached, left = set(), {REPORTS / "index.md"}
    while left:
        page = left.pop()
        assert page.is_file(), page
        reached.add(page)
        if page.suffix == ".md" and page.is_relative_to(REPORTS):
            left |= linked(page) - reached
    pages = {path for path in committed() if path.suffix in {".md", ".svg"}}
    assert pages
    assert sorted(pages - reached) == []
