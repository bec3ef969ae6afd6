"""The engine: answers do not depend on company, room or failures; nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hash_model import Floats, HashModel, letter

from hipaudit.device import Device
from hipaudit.plugin_ledger import TestLedger
from hipaudit_runtime.errors import CacheFullError, HipError
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import (
    Event,
    Finish,
    LogitsError,
    Request,
    RequestError,
    Sampling,
)
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.language_model import Step

pytestmark = pytest.mark.runtime

SIZE = CacheSize(pages=16, page_size=4)
WARM = Sampling(temperature=0.9, top_k=20, top_p=0.95, min_p=0.01, repetition_penalty=1.1)


def drain(engine: Engine) -> dict[int, list[Event]]:
    """All events by request, until there are no more."""
    events: dict[int, list[Event]] = {}
    while engine.busy:
        for event in engine.step():
            events.setdefault(event.request, []).append(event)
    return events


def tokens(events: Iterable[Event]) -> list[int]:
    return [token for event in events for token in event.tokens]


def text(events: Iterable[Event]) -> str:
    return "".join(event.text for event in events)


def greedy(model: HashModel, prompt: Sequence[int], count: int) -> list[int]:
    """What a loop of two lines says."""
    history = list(prompt)
    for _ in range(count):
        history.append(int(np.argmax(model.logits(history))))
    return history[len(prompt) :]


def alone(device: Device, request: Request) -> list[Event]:
    """The events of a request that has an engine to itself."""
    with Engine(HashModel(device), letter, cache=SIZE) as engine:
        number = engine.submit(request)
        return drain(engine)[number]


REQUESTS = [
    Request((1, 2, 3), 9),
    Request(tuple(range(20)), 12, WARM, seed=5),
    Request((1, 2, 3), 9, WARM, seed=6),
    Request((7,), 30, Sampling(1.5), seed=6),
    Request((*range(20), 4, 4), 10, WARM, seed=7),
]


@pytest.mark.parametrize("pages", [16, 12, 64])
def test_answers_do_not_depend_on_company(device: Device, pages: int) -> None:
    limits = Limits(sequences=4, step_tokens=10)
    model = HashModel(device)
    with Engine(model, letter, limits=limits, cache=CacheSize(pages, 4)) as engine:
        numbers = [engine.submit(request) for request in REQUESTS]
        events = drain(engine)
        stats = engine.stats
    for number, request in zip(numbers, REQUESTS, strict=True):
        assert tokens(events[number]) == tokens(alone(device, request))
        assert [event.finish for event in events[number][:-1]] == [None] * (len(events[number]) - 1)
        assert events[number][-1].finish is Finish.LENGTH
    assert tokens(events[numbers[0]]) == greedy(model, (1, 2, 3), 9)
    assert max(sum(len(step.tokens) for step in batch) for batch in model.batches) <= 10
    assert max(map(len, model.batches)) == 4
    assert (stats.preemptions > 0) == (pages == 12)
    assert stats.prompt_tokens == sum(len(request.prompt) for request in REQUESTS)
    assert stats.generated_tokens == 9 + 12 + 9 + 30 + 10


def test_a_prefix_is_read_once(device: Device) -> None:
    model = HashModel(device)
    with Engine(model, letter, cache=SIZE) as engine:
        first = tuple(range(13))
        engine.submit(Request(first, 3))
        drain(engine)
        read = sum(len(step.tokens) for batch in model.batches for step in batch)
        number = engine.submit(Request((*first, 30), 3))
        again = tokens(drain(engine)[number])
        stats = engine.stats
    assert again == greedy(model, (*first, 30), 3)
    assert stats.reused_tokens == 12
    assert sum(len(step.tokens) for batch in model.batches for step in batch) == read + 2 + 2


def test_a_stop_text_that_spans_tokens_is_not_said(device: Device) -> None:
    model = HashModel(device)
    said = b"".join(map(letter, greedy(model, (1, 2, 3), 20))).decode()
    stop = said[5:8]
    with Engine(model, letter, cache=SIZE) as engine:
        number = engine.submit(Request((1, 2, 3), 20, stop=(stop,)))
        events = drain(engine)[number]
    assert text(events) == said[: said.index(stop)]
    assert events[-1].finish is Finish.STOP


def test_a_stop_token_has_no_text(device: Device) -> None:
    model = HashModel(device)
    want = greedy(model, (1, 2, 3), 6)
    with Engine(model, letter, cache=SIZE) as engine:
        number = engine.submit(Request((1, 2, 3), 20, stop_tokens=frozenset({want[-1]})))
        events = drain(engine)[number]
    end = want.index(want[-1])
    assert tokens(events) == want[: end + 1]
    assert text(events) == b"".join(map(letter, want[:end])).decode()
    assert events[-1].finish is Finish.STOP


def test_the_context_ends_an_answer(device: Device) -> None:
    with Engine(HashModel(device), letter, cache=CacheSize(100, 4)) as engine:
        number = engine.submit(Request((5, 6)))
        events = drain(engine)[number]
    assert len(tokens(events)) == 62
    assert events[-1].finish is Finish.LENGTH


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ((), "no tokens"),
        ((1,) * 64, r"64 tokens, and 64 is all .* \(the model's context is 64\)"),
        ((1, 32), "token 32, which is outside 0 to 31"),
    ],
)
def test_a_prompt_that_cannot_be(device: Device, prompt: tuple[int, ...], said: str) -> None:
    with Engine(HashModel(device), letter, cache=SIZE) as engine:
        with pytest.raises(RequestError, match=said):
            engine.submit(Request(prompt, 1))
        assert not engine.busy


def test_a_request_that_is_called_off_makes_room(device: Device) -> None:
    model = HashModel(device)
    with Engine(model, letter, limits=Limits(1, 8), cache=SIZE) as engine:
        first, second = (engine.submit(Request((at, 9), 12)) for at in (1, 2))
        engine.step()
        engine.step()
        assert engine.cancel(first)
        assert not engine.cancel(first)
        events = drain(engine)
        assert engine.stats.cancelled == 1
    assert set(events) == {second}
    assert tokens(events[second]) == greedy(model, (2, 9), 12)


def test_one_bad_request_does_no_harm_to_others(device: Device) -> None:
    def refuse(steps: Sequence[Step]) -> None:
        if any(13 in step.tokens for step in steps):
            raise HipError("hipModuleLaunchKernel", "hipErrorInvalidValue", 1)

    model = HashModel(device, before=refuse)
    with Engine(model, letter, cache=SIZE) as engine:
        bad = engine.submit(Request((13, 1), 4))
        good = [engine.submit(Request((at, 1), 1)) for at in (2, 3)]
        events = drain(engine)
        later = engine.submit(Request((4, 1), 1))
        events |= drain(engine)
        stats = engine.stats
    assert [(event.finish, str(event.error)) for event in events[bad]] == [
        (Finish.ERROR, "hipModuleLaunchKernel failed with hipErrorInvalidValue (1)")
    ]
    for number, at in zip([*good, later], (2, 3, 4), strict=True):
        assert tokens(events[number]) == greedy(model, (at, 1), 1)
    assert (stats.failed, stats.retries) == (1, 3)


@pytest.mark.parametrize(
    "error", [HipError("hipMalloc", "hipErrorOutOfMemory", 2), CacheFullError(2, 1, 4)]
)
@pytest.mark.parametrize("at", range(8))
def test_a_batch_that_fails_once_runs_again(device: Device, error: Exception, at: int) -> None:
    batches = iter(range(100))

    def fail(steps: Sequence[Step]) -> None:
        del steps
        if next(batches) == at:
            raise error

    with Engine(HashModel(device, before=fail), letter, cache=SIZE) as engine:
        numbers = [engine.submit(request) for request in REQUESTS[:3]]
        events = drain(engine)
        retries = engine.stats.retries
    for number, request in zip(numbers, REQUESTS, strict=False):
        assert tokens(events[number]) == tokens(alone(device, request))
    assert retries == 3


def test_logits_that_are_no_numbers_end_their_request_alone(device: Device) -> None:
    def spoil(steps: Sequence[Step], logits: Floats) -> None:
        for row, step in enumerate(steps):
            if 13 in step.tokens:
                logits[row] = np.nan

    for sampling in (Sampling(), WARM):
        with Engine(HashModel(device, after=spoil), letter, cache=SIZE) as engine:
            bad = engine.submit(Request((13,), 4, sampling))
            good = engine.submit(Request((2,), 1, sampling))
            events = drain(engine)
        assert isinstance(events[bad][-1].error, LogitsError)
        assert events[good][-1].finish is Finish.LENGTH


def test_what_a_failed_batch_wrote_is_not_shared(device: Device) -> None:
    """An error that shows late: the pages are full, findable, and wrong."""
    failing = True

    def spoil(steps: Sequence[Step], logits: Floats) -> None:
        del steps, logits
        if failing:
            keys = engine._cache.keys[0]
            keys.upload(np.full(keys.shape, 7, np.float32))
            raise HipError("hipDeviceSynchronize", "hipErrorLaunchFailure", 719)

    prompt = tuple(range(12))
    with Engine(HashModel(device, after=spoil), letter, cache=SIZE) as engine:
        number = engine.submit(Request(prompt, 3))
        assert drain(engine)[number][-1].finish is Finish.ERROR
        failing = False
        number = engine.submit(Request(prompt, 3))
        assert tokens(drain(engine)[number]) == greedy(HashModel(device), prompt, 3)
        assert engine.stats.reused_tokens == 0


def test_every_allocation_may_fail_once(device: Device, hip_ledger: TestLedger) -> None:
    """The engine says so when it is made, and tries again when it runs."""
    requests = [Request((1, 2, 3), 4), Request(tuple(range(9)), 3, WARM, seed=5)]

    def run() -> dict[int, list[int]]:
        model, draft = HashModel(device), HashModel(device, salt=1)
        limits = Limits(2, 8, drafted=1)
        with Engine(model, letter, limits=limits, cache=SIZE, draft=draft) as engine:
            for request in requests:
                engine.submit(request)
            return {number: tokens(events) for number, events in drain(engine).items()}

    plain = {number: tokens(alone(device, request)) for number, request in enumerate(requests)}
    said = []
    refused = 0
    at, asked = 0, 0
    while asked == at:
        at += 1
        with hip_ledger.failing(at):
            try:
                said.append(run())
            except HipError:
                refused += 1
            asked = min(hip_ledger.ledger.asked(), at)
    assert refused == 4, "keys and values of two caches"
    assert at > 20
    assert all(answer[0] == plain[0] for answer in said), "greedy, with a draft or without"
    assert all(len(answer[1]) == 3 for answer in said)
