"""The kernel audit: a child's answer becomes verdicts, findings and tokens."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit import replaytoken
from hipaudit.audits import kernels
from hipaudit.child import ChildResult
from hipaudit.errors import UsageError

SPEC = kernels.spec_named("softmax")
LAUNCH = {"record": "launch", "kernel": "softmax", "arch": "gfx942", "build": "checked"}


def entry(build: str = "plain", **changes: Any) -> dict[str, Any]:
    verdict = {"arch": "gfx942", "status": "passed", "examples": 1, "elements": 4}
    return {
        "build": build,
        "verdict": verdict,
        "points": [[4, 0.5]],
        "sums": None,
        "failure": None,
        **changes,
    }


def failure(**changes: Any) -> dict[str, Any]:
    base = {"kind": "bound-exceeded", "message": "softmax: output[3] is off\nmore", "case": "x = 1"}
    return {**base, "records": [], "blob": ["6.1", "b'AXic'"], **changes}


def read(*entries: dict[str, Any], checked: bool = True, **changes: Any) -> kernels.KernelAudit:
    launch = {**LAUNCH, "launches": 1, "threads": 64, "accesses": 8, "launch_ms": 1.0}
    value = {"results": list(entries), "checked": checked}
    values = {"value": value, "records": (launch,), "output": "", "death": None, **changes}
    return kernels._read(SPEC, ChildResult(**values))


def test_a_clean_answer_has_verdicts_points_and_no_findings() -> None:
    audit = read(entry("checked"), entry())
    assert (audit.findings, audit.void, len(audit.verdicts)) == ((), None, 1)
    assert list(map(tuple, audit.points["gfx942"])) == [(4, 0.5)]


def test_a_failure_is_a_finding_at_the_kernel_with_a_token() -> None:
    (finding,) = read(entry(failure=failure())).findings
    assert (finding.kind, finding.kernel, finding.arch) == ("bound-exceeded", "softmax", "gfx942")
    assert finding.message == "softmax: output[3] is off"
    assert finding.input == "x = 1"
    assert finding.location is not None
    assert finding.location.file.endswith("kernels/softmax.hip")
    assert finding.location.line > 0
    assert finding.replay is not None
    task = replaytoken.decode(finding.replay.split()[-1])
    assert task == {
        "what": "spec",
        "spec": "softmax",
        "arch": "gfx942",
        "blob": ["6.1", "b'AXic'"],
    }


def test_what_is_wrong_at_one_width_alone_depends_on_the_width() -> None:
    other = {"arch": "gfx1100", "status": "passed", "examples": 1, "elements": 4}
    failed = {"arch": "gfx942", "status": "failed", "examples": 1, "elements": 4}
    wrong, width = read(entry(failure=failure(), verdict=failed), entry(verdict=other)).findings
    assert (wrong.kind, width.kind) == ("bound-exceeded", "wave-size-dependence")
    assert "wrong on gfx942 and right on gfx1100" in width.message
    assert (width.replay, width.location) == (wrong.replay, wrong.location)
    both = entry(failure=failure(), verdict={**other, "status": "failed"})
    kinds = [one.kind for one in read(entry(failure=failure(), verdict=failed), both).findings]
    assert kinds == ["bound-exceeded", "bound-exceeded"]


def test_what_the_device_found_is_reported_as_it_found_it() -> None:
    record = {"record": "finding", "kind": "race-shared", "kernel": "softmax", "arch": "gfx942"}
    (finding,) = read(entry("checked", failure=failure(records=[record]))).findings
    assert (finding.kind, finding.input) == ("race-shared", "x = 1")


def test_a_dead_child_is_a_finding_of_its_kernel() -> None:
    death = {"record": "finding", "kind": "wild-access", "kernel": None, "message": "died"}
    (finding,) = read(value=None, death=death).findings
    assert (finding.kind, finding.kernel) == ("wild-access", "softmax")


def test_a_run_that_shows_nothing_is_void() -> None:
    silent = entry(verdict={"arch": "gfx942", "status": "void"})
    assert read(silent).void == "softmax: nothing ran on gfx942"
    assert read().void == "softmax: nothing ran"
    uninstrumented = {**LAUNCH, "launches": 1, "threads": 64, "accesses": 0, "launch_ms": 1.0}
    assert "instrumented" in str(read(entry(), records=(uninstrumented,)).void)
    assert read(entry(), checked=False, records=(uninstrumented,)).void is None


def test_unchecked_kernels_are_noted() -> None:
    archs = ("gfx942",)
    assert kernels.outcome_of((read(entry()),), "d", archs).notes == ()
    (note,) = kernels.outcome_of((read(entry(), checked=False),), "d", archs).notes
    assert "access checks were not run" in note


def test_replaying_a_kernel_that_is_right_now_finds_nothing() -> None:
    outcome = kernels.replay({"spec": "softmax", "arch": "gfx1100", "blob": None}, "emulated")
    assert outcome.exit_code() == 0
    with pytest.raises(UsageError, match="no library kernel is called 'gone'"):
        kernels.replay({"spec": "gone", "arch": "gfx942"}, "emulated")
