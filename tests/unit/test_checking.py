"""What a check's runs must have shown before it may call a kernel clean."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit import checking
from hipaudit.child import ChildResult
from hipaudit.errors import EXIT_CLEAN, EXIT_VOID
from hipaudit.outcome import Outcome

REQUEST = checking.Request(file="k.hip", kernel="k", archs=("gfx942",))


def outcome_of(
    monkeypatch: pytest.MonkeyPatch, *, launched: bool = True, threads: int, accesses: int = 64
) -> Outcome:
    """Check with a device whose launches have so many threads and accesses."""

    def ran(_: str, payload: dict[str, Any], **__: Any) -> ChildResult:
        launch = {"record": "launch", "kernel": "k", "arch": "gfx942", "build": payload["build"]}
        counted = {"launches": 1, "threads": threads, "accesses": accesses, "launch_ms": 0.1}
        value = {"kernel": "k", "arch": "gfx942", "instrumented": True}
        return ChildResult(value, ({**launch, **counted},) if launched else (), "", None)

    monkeypatch.setattr(checking, "run_in_child", ran)
    return checking.check(REQUEST, "emulated", "again", device_title="emulated device")


def test_a_launch_of_no_threads_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcome_of(monkeypatch, threads=0)
    assert outcome.exit_code() == EXIT_VOID
    assert outcome.void is not None
    assert outcome.void.startswith("gfx942, checked build: no kernel ran")
    assert "gfx942, plain build: no kernel ran" in outcome.void


def test_a_run_without_a_launch_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcome_of(monkeypatch, launched=False, threads=0)
    assert outcome.exit_code() == EXIT_VOID


def test_threads_without_an_access_are_void(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcome_of(monkeypatch, threads=64, accesses=0)
    assert outcome.void == "gfx942: the threads that ran accessed no memory"


def test_threads_with_accesses_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcome_of(monkeypatch, threads=64)
    assert (outcome.void, outcome.exit_code()) == (None, EXIT_CLEAN)
