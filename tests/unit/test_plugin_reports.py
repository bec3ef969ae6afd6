"""What tests found, in JUnit's XML and on GitHub's runner; black box."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from hipaudit.plugin_reports import VERDICT, annotate

SUITE = """
import pytest
from hip import hip


def test_leaks(device):
    assert int(hip.hipMalloc(64)[0].value) == 0


@pytest.mark.parametrize("name", ["a\\n::error::forged", "clean"])
def test_clean(device, name):
    pass


def test_fails():
    assert False
"""


def test_a_failed_property_is_annotated_in_its_file_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = {"name": "k", "arch": "gfx942", "status": "failed", "mismatches": ["one is off"]}
    numbers = {"elements": 4, "worst_ratio": 2.0}
    report = SimpleNamespace(
        when="call",
        nodeid="tests/test_k.py::test_k",
        location=("tests/test_k.py", 6, "test_k"),
        user_properties=[(VERDICT, json.dumps({**verdict, **numbers}))],
    )
    lines: list[str] = []
    reporter = SimpleNamespace(
        stats={"failed": [report]},
        config=SimpleNamespace(rootpath=tmp_path),
        ensure_newline=lambda: None,
        write_line=lines.append,
    )
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    annotate(reporter)
    (line,) = lines
    assert line.startswith("::error file=tests/test_k.py,line=7,title=hipaudit%3A numerics::")
    assert "k on gfx942: one is off" in line


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run a suite as GitHub's runner would; return its folder."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    pytester.makepyfile(test_it=SUITE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--junitxml", "junit.xml")
    result.assert_outcomes(passed=3, failed=1, errors=1)
    (pytester.path / "out.txt").write_text(result.stdout.str())
    return pytester.path


def test_a_finding_is_a_property_an_annotation_and_in_the_summary(ran: Path) -> None:
    cases = ET.parse(ran / "junit.xml").iter("testcase")  # noqa: S314 - pytest has just written it
    properties = {
        case.get("name"): [
            json.loads(one.get("value") or "")
            for one in case.iter("property")
            if one.get("name") == "hipaudit-finding"
        ]
        for case in cases
    }
    (leak,) = properties["test_leaks"]
    line = 1 + SUITE.strip().splitlines().index("    assert int(hip.hipMalloc(64)[0].value) == 0")
    assert (leak["kind"], Path(leak["file"]).name, leak["line"]) == ("leak", "test_it.py", line)
    assert leak["id"].startswith("leak-")
    assert properties["test_fails"] == []
    commands = [one for one in (ran / "out.txt").read_text().splitlines() if one.startswith("::")]
    (command,) = commands
    assert command.startswith(f"::error file=test_it.py,line={line},title=hipaudit%3A leak::")
    assert leak["id"] in command
    assert "1 failure" in (ran / "summary.md").read_text()
