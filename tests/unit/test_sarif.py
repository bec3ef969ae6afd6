"""SARIF 2.1.0: the shape that code scanning services read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hipaudit.finding import Finding, Findings, Location, identified
from hipaudit.outcome import Outcome
from hipaudit.report.sarif import sarif


def outcome(*findings: Finding, void: str | None = None) -> Outcome:
    return Outcome("device", "gfx942", [], Findings(findings), ("a note",), void)


def finding(file: str, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": "",
        "kind": "race-shared",
        "severity": "error",
        "kernel": "k",
        "arch": "gfx942",
        "message": "two threads",
        "location": Location(file, 7, "k", (0, 0, 0), (1, 0, 0)),
        "other_location": Location(file, 9, "k", (0, 0, 0), (2, 0, 0)),
    }
    return identified(Finding(**{**values, **changes}))


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    assert log["version"] == "2.1.0"
    assert "sarif-2.1.0" in log["$schema"]
    (run,) = log["runs"]
    assert json.loads(json.dumps(run)) == run
    return dict(run)


def test_a_finding_is_a_result_with_both_sides() -> None:
    run = run_of(sarif(outcome(finding("my dir/k.hip")), exit_code=1))
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("race-shared", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "race-shared"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20dir/k.hip", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 7}
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"] == {"startLine": 9}
    assert "thread (2, 0, 0)" in related["message"]["text"]
    assert run["invocations"][0] | {"toolExecutionNotifications": 0} == {
        "executionSuccessful": True,
        "exitCode": 1,
        "toolExecutionNotifications": 0,
    }


def test_fingerprints_are_stable_and_tell_parts_apart() -> None:
    def fingerprint(item: Finding) -> str:
        (result,) = run_of(sarif(outcome(item), exit_code=1))["results"]
        (value,) = result["partialFingerprints"].values()
        return str(value)

    assert fingerprint(finding("k.hip")) == fingerprint(finding("k.hip", count=8))
    assert fingerprint(finding("k.hip")) != fingerprint(finding("k.hip", arch="gfx1100"))


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note")]
)
def test_severities_have_levels(severity: str, level: str) -> None:
    (result,) = run_of(sarif(outcome(finding("k", severity=severity)), exit_code=0))["results"]
    assert result["level"] == level


def test_files_elsewhere_and_places_unknown() -> None:
    run = run_of(
        sarif(
            outcome(
                finding("/opt/x/k.hip", other_location=None),
                finding("", location=None, other_location=None),
                finding(str(Path.cwd() / "k.hip"), location=Location(str(Path.cwd() / "k.hip"))),
            ),
            exit_code=1,
        )
    )
    first, second, third = run["results"]
    place = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "file:///opt/x/k.hip"}
    assert second["locations"] == []
    assert third["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "k.hip", "uriBaseId": "SRCROOT"}
    }


def test_a_void_run_is_no_success() -> None:
    run = run_of(sarif(outcome(void="no kernel ran"), exit_code=3))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    texts = [n["message"]["text"] for n in invocation["toolExecutionNotifications"]]
    assert texts == ["a note", "no kernel ran"]
    assert run["results"] == []


def test_messages_are_inert() -> None:
    (result,) = run_of(sarif(outcome(finding("k", message="\x1b[2J\u202e")), exit_code=1))[
        "results"
    ]
    assert result["message"]["text"].startswith("\\x1b[2J\\u202e")
