"""Drafts: the same distribution, the same greedy answers, and nothing lost when a draft fails."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from chi_square import fits
from hash_model import HashModel, letter
from hypothesis import given, settings
from hypothesis import strategies as st

from hipaudit.device import Device
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import Finish, Request, Sampling
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.generation.stats import Stats
from hipaudit_runtime.language_model import Step

pytestmark = pytest.mark.runtime

Doubles = npt.NDArray[np.float64]
SIZE = CacheSize(pages=32, page_size=4)


def answers(
    model: HashModel,
    draft: HashModel | None,
    requests: Sequence[Request],
    limits: Limits,
    size: CacheSize = SIZE,
) -> tuple[list[tuple[int, ...]], Stats]:
    """The tokens of each request's answer, and what the engine counted."""
    with Engine(model, letter, limits=limits, cache=size, draft=draft) as engine:
        numbers = [engine.submit(request) for request in requests]
        said: dict[int, tuple[int, ...]] = dict.fromkeys(numbers, ())
        while engine.busy:
            for event in engine.step():
                assert event.finish is not Finish.ERROR
                said[event.request] += event.tokens
        return [said[number] for number in numbers], engine.stats


def distribution(model: HashModel, prompt: list[int], how: Sampling, length: int) -> Doubles:
    """The probability of each continuation, in float64 and in the order of the tokens."""

    def after(tokens: tuple[int, ...]) -> Doubles:
        logits = model.logits([*prompt, *tokens]).astype(np.float64) / how.temperature
        p: Doubles = np.exp(logits - logits.max())
        p /= p.sum()
        if how.top_k:
            p[np.argsort(-p)[how.top_k :]] = 0
            p /= p.sum()
        return p

    every = itertools.product(range(model.vocabulary_size), repeat=length)
    return np.array(
        [np.prod([after(each[:at])[each[at]] for at in range(length)]) for each in every]
    )


@pytest.mark.parametrize("drafted", [1, 2, 3])
@pytest.mark.parametrize("how", [Sampling(1.0), Sampling(0.8, top_k=2)], ids=["all", "top-k"])
def test_what_is_drafted_has_the_distribution_of_the_model(
    device: Device, drafted: int, how: Sampling
) -> None:
    """Of three tokens together: their number of drafts differs from answer to answer."""
    model, draft = (HashModel(device, 3, spread=1.2, salt=salt) for salt in (1, 2))
    requests = [Request((1, 2), 3, how, seed=seed) for seed in range(900)]
    limits = Limits(sequences=60, step_tokens=400, drafted=drafted)
    said, stats = answers(model, draft, requests, limits, CacheSize(200, 4))
    counts = np.bincount([a * 9 + b * 3 + c for a, b, c in said], minlength=27)
    want = distribution(model, [1, 2], how, 3)
    assert fits(counts, want)
    assert not fits(counts, distribution(draft, [1, 2], how, 3)), "the test itself can fail"
    assert 0 < stats.accepted < stats.drafted


@settings(deadline=None, max_examples=15)
@given(
    prompts=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=20), min_size=1, max_size=5),
    salt=st.sampled_from([0, 1]),
    drafted=st.integers(1, 5),
    pages=st.sampled_from([12, 40]),
    penalty=st.sampled_from([1.0, 1.4]),
)
def test_greedy_answers_are_the_same_with_a_draft(
    device: Device,
    prompts: list[list[int]],
    salt: int,
    drafted: int,
    pages: int,
    penalty: float,
) -> None:
    how = Sampling(repetition_penalty=penalty)
    requests = [Request(tuple(prompt), 10, how, stop=("cc",)) for prompt in prompts]
    limits = Limits(3, 12, drafted)
    plain, _ = answers(HashModel(device, 8), None, requests, limits)
    # The other model knows two tokens of the past alone, and is right now and then.
    draft = HashModel(device, 8, order=None if salt == 0 else 2, salt=salt)
    said, stats = answers(HashModel(device, 8), draft, requests, limits, CacheSize(pages, 4))
    assert said == plain
    if salt == 0 and penalty == 1:
        # The last verified token may lie beyond a stop text.
        assert stats.accepted == stats.drafted


def test_a_draft_that_is_the_model_is_always_accepted(device: Device) -> None:
    requests = [Request((3, 1), 20, Sampling(1.1), seed=seed) for seed in range(3)]
    model = HashModel(device, 8)
    _, stats = answers(model, HashModel(device, 8), requests, Limits(3, 30, 4))
    assert stats.accepted == stats.drafted > 0
    # 20 tokens each: one behind the prompt, then 5 a batch, and the 4 that are left.
    assert len(model.batches) == 5


@pytest.mark.parametrize("at", range(6))
def test_a_draft_that_fails_costs_the_draft_alone(device: Device, at: int) -> None:
    batches = iter(range(1000))

    def fail(steps: Sequence[Step]) -> None:
        del steps
        if next(batches) == at:
            raise HipError("hipMalloc", "hipErrorOutOfMemory", 2)

    requests = [Request((3, salt), 9) for salt in range(3)]
    limits = Limits(3, 12, 3)
    plain, _ = answers(HashModel(device, 8), None, requests, limits)
    said, stats = answers(HashModel(device, 8), HashModel(device, 8, before=fail), requests, limits)
    assert said == plain
    assert stats.draft_failures == 1
    assert stats.drafted > 0


def test_a_draft_may_have_the_shorter_context(device: Device) -> None:
    requests = [Request((1, 2, 3), 40)]
    plain, _ = answers(HashModel(device, 8), None, requests, Limits(1, 8, 3))
    said, stats = answers(
        HashModel(device, 8), HashModel(device, 8, context=16), requests, Limits(1, 8, 3)
    )
    assert said == plain
    assert 0 < stats.drafted < 16


def test_a_draft_of_another_vocabulary_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match="a draft with 9 tokens for a model with 8"):
        Engine(HashModel(device, 8), letter, draft=HashModel(device, 9))
