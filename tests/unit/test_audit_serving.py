"""The audits of the scheduler and of drafts: silent on the runtime, and not silent on mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hipaudit.audits import batch_scheduler, speculative_decoding
from hipaudit.device import Device
from hipaudit_runtime.generation import speculative
from hipaudit_runtime.generation.scheduler import Job, Limits, Scheduler


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_scheduler, "_RUNS", 8)
    monkeypatch.setattr(speculative_decoding, "_ANSWERS", 600)
    monkeypatch.setattr(speculative_decoding, "_DRAFTS", {"another": (2, 0.0)})
    how = {"temperature 1": speculative_decoding._SAMPLINGS["temperature 1"]}
    monkeypatch.setattr(speculative_decoding, "_SAMPLINGS", how)


@pytest.mark.usefixtures("_few")
def test_the_scheduler_keeps_its_rules() -> None:
    sweep = batch_scheduler.audit((), "emulated")
    assert (sweep.findings, sweep.void) == ((), None)
    assert sweep.steps > 1000
    assert sum(int(row[7].replace(",", "")) for row in sweep.rows) > 10  # some gave way


def youngest_first(self: Scheduler, job: Job) -> None:
    self._waiting.insert(0, job)


def no_limit(self: Scheduler) -> list[Any]:
    self._limits = Limits(99, 999, 9)
    return REAL_PLAN(self)


def miscounted(self: Scheduler, job: Job) -> None:
    self.remove(job)
    self.add(job)


REAL_PLAN = Scheduler.plan


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize(
    ("method", "mistake", "rule"),
    [
        ("add", youngest_first, "order"),
        ("plan", no_limit, "capacity"),
        ("_preempt", miscounted, "counters"),
    ],
)
def test_a_scheduler_with_a_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch, method: str, mistake: Any, rule: str
) -> None:
    monkeypatch.setattr(Scheduler, method, mistake)
    found = batch_scheduler.audit((), "emulated").findings
    assert found
    assert any(finding.message.startswith(rule) for finding in found)


def entries(device: Device) -> list[dict[str, Any]]:
    payload = {"archs": ["gfx1100"]}
    answer = speculative_decoding.sweep_in_child(payload, device, lambda _: None)
    found: list[dict[str, Any]] = answer["entries"]
    return found


@pytest.mark.usefixtures("_few")
def test_drafts_leave_distributions_and_greedy_answers_alone(device: Device) -> None:
    sampled, greedy = entries(device)
    assert (speculative_decoding._wrong(sampled), speculative_decoding._wrong(greedy)) == ("", "")
    assert sampled["other"] < 1e-6 < sampled["fit"]
    assert 0 < sampled["accepted"] < sampled["drafted"] == 600


@pytest.mark.usefixtures("_few")
def test_a_residual_drawn_from_the_target_is_found(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = speculative._residual

    def wrong(device: Any, scope: Any, row: Any, place: Any, proposed: Any) -> int:
        return right(device, scope, row, place, np.zeros_like(proposed))

    monkeypatch.setattr(speculative, "_residual", wrong)
    sampled, _ = entries(device)
    assert "do not follow the target's distribution" in speculative_decoding._wrong(sampled)
