"""The documentation: it builds without a warning, links lead somewhere, Markdown is clean."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from hipaudit.kinds import KINDS
from hipaudit.text import markdown

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "reports")
PAGES = sorted(
    [ROOT / "README.md", ROOT / "tests/README.md", ROOT / "kernels/faults/README.md"]
    + [page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")]
)
FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def scan(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pymarkdown", "scan", *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_linter_has_nothing_to_say_but_of_a_bad_page(tmp_path: Path) -> None:
    result = scan(*PAGES)
    assert result.returncode == 0, result.stdout[:4000] + result.stderr[:2000]
    bad = tmp_path / "bad.md"
    bad.write_text("## Second\n# First\n```\n```\n\n\n\ntext \n")
    assert scan(bad).returncode == 1


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    heads = (re.sub(r"[^\w\- ]", "", head.lower()) for head in HEADING.findall(text))
    return {head.strip().replace(" ", "-") for head in heads}


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere; those to other hosts must be https."""
    wrong = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            wrong += [] if parts.scheme == "https" and parts.netloc else [link]
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        there = target.exists() and (ROOT in target.parents or page.parent in target.parents)
        if not there or (parts.fragment and parts.fragment not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](absent.md) [y](#a-b) [z](#c) [h](http://x) [o](https://x)\n")
    assert broken(page) == ["absent.md", "#c", "http://x"]


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(
        [*command, "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    text = (tmp_path / "site/api/index.html").read_text()
    assert "hipaudit.inputs.matrices" in text


def test_every_kind_stands_in_its_table() -> None:
    text = (ROOT / "docs/findings.md").read_text()
    for kind in KINDS.values():
        assert f"| `{kind.name}` | {markdown(kind.means)} | {markdown(kind.mend)} |" in text


def test_the_workflow_to_copy_is_valid_and_asks_the_action_for_what_it_takes(
    tmp_path: Path,
) -> None:
    text = (ROOT / "docs/ci.md").read_text()
    match = re.search(r'```yaml title="\.github/[^"]+"\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    assert match is not None
    workflow = tmp_path / "w.yml"
    workflow.write_text(match[1])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    subprocess.run([*command, "vendor.github-workflows", str(workflow)], check=True)
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = (
        step
        for step in yaml.safe_load(match[1])["jobs"]["hipaudit"]["steps"]
        if step.get("uses", "").startswith("hipaudit/")
    )
    assert set(step["with"]) <= set(action["inputs"])
    assert {name for name, one in action["inputs"].items() if one.get("required")} <= set(
        step["with"]
    )
