"""The engine beside a simple model of it, in any order of what may happen to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hash_model import HashModel, letter
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hipaudit.device import Device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import Event, Finish, Request
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.language_model import Step

pytestmark = pytest.mark.runtime


class Machine(RuleBasedStateMachine):
    """Greedy requests: what each must say is known beforehand."""

    device: Device

    @initialize(
        pages=st.integers(2, 12),
        sequences=st.integers(1, 3),
        spare=st.integers(0, 5),
        draft=st.sampled_from([None, 0, 1]),
    )
    def start(self, pages: int, sequences: int, spare: int, draft: int | None) -> None:
        self.failures = 0
        self.model = HashModel(self.device, 8, 32, before=self.before)
        small = None if draft is None else HashModel(self.device, 8, 32, salt=draft)
        limits = Limits(sequences, sequences + spare, drafted=2)
        size = CacheSize(pages, 3)
        self.engine = Engine(self.model, letter, limits=limits, cache=size, draft=small)
        self.wanted: dict[int, list[int]] = {}
        self.said: dict[int, list[int]] = {}
        self.ended: dict[int, Finish | None] = {}

    def before(self, steps: Sequence[Step]) -> None:
        """Fail as many batches in a row as were asked for."""
        del steps
        if self.failures:
            self.failures -= 1
            raise HipError("hipMalloc", "hipErrorOutOfMemory", 2)

    @rule(
        prompt=st.lists(st.integers(0, 2), min_size=1, max_size=12),
        count=st.integers(1, 8),
        end=st.none() | st.integers(0, 7),
    )
    def submit(self, prompt: list[int], count: int, end: int | None) -> None:
        prompt = prompt[: self.engine.capacity - 1]
        ends = frozenset() if end is None else frozenset({end})
        number = self.engine.submit(Request(tuple(prompt), count, stop_tokens=ends))
        history = list(prompt)
        while len(history) < min(len(prompt) + count, self.engine.capacity):
            history.append(int(np.argmax(self.model.logits(history))))
            if history[-1] == end:
                break
        self.wanted[number] = history[len(prompt) :]
        self.said[number] = []

    @rule()
    def step(self) -> None:
        for event in self.engine.step():
            self.hear(event)

    @rule(failures=st.integers(1, 3))
    def step_with_failures(self, failures: int) -> None:
        self.failures = failures
        self.step()
        self.failures = 0

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.said)))
        assert self.engine.cancel(number) == (number not in self.ended)
        self.ended.setdefault(number, None)

    def hear(self, event: Event) -> None:
        assert event.request not in self.ended
        self.said[event.request] += event.tokens
        if event.finish is not None:
            self.ended[event.request] = event.finish

    @invariant()
    def what_was_said_is_what_must_be(self) -> None:
        for number, said in self.said.items():
            want = self.wanted[number]
            assert said == want[: len(said)]
            finish = self.ended.get(number)
            if finish in {Finish.STOP, Finish.LENGTH}:
                assert said == want
        assert self.engine.busy == (len(self.ended) < len(self.said))

    def teardown(self) -> None:
        """What is left ends, in a bounded number of batches."""
        if not hasattr(self, "engine"):
            return
        left = sum(len(want) + 12 for want in self.wanted.values())
        for _ in range(4 * left * (1 + len(self.wanted))):
            if self.engine.busy:
                self.step()
        assert not self.engine.busy
        self.what_was_said_is_what_must_be()
        stats = self.engine.stats
        assert stats.requests == len(self.wanted)
        assert stats.failed == sum(each is Finish.ERROR for each in self.ended.values())
        assert stats.cancelled == sum(each is None for each in self.ended.values())
        assert stats.generated_tokens == sum(map(len, self.said.values()))
        assert self.engine._cache.tables.counts.used == 0
        self.engine.close()


def test_the_engine_in_any_order(device: Device) -> None:
    machine = type("On", (Machine,), {"device": device})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )
