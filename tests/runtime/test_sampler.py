"""Sampling against float64: the distributions, and what is drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from chi_square import fits
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hipaudit.device import Device
from hipaudit_runtime import modules
from hipaudit_runtime.generation.requests import LogitsError, Sampling
from hipaudit_runtime.generation.sampler import Draw, Purpose, sample, shape
from hipaudit_runtime.modules import Kernel
from hipaudit_runtime.tensors import Scope

pytestmark = pytest.mark.runtime

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
NEAR = 1e-5
"""Probabilities this near to a filter's threshold may fall on either side of it."""


def reference(logits: Floats, how: Sampling, seen: Sequence[int]) -> Doubles | None:
    """The distribution in float64; None where rounding may decide what a filter keeps."""
    x: Doubles = logits.astype(np.float64)
    known = np.isin(np.arange(len(x)), seen)
    penalty = how.repetition_penalty
    x = np.where(known, np.where(x > 0, x / penalty, x * penalty), x) / how.temperature
    p: Doubles = np.exp(x - x.max())
    p /= p.sum()
    if 0 < how.top_k < len(p):
        order = np.argsort(-p, kind="stable")
        if p[order[how.top_k - 1]] - p[order[how.top_k]] < NEAR:
            return None
        p[order[how.top_k :]] = 0
        p /= p.sum()
    if how.top_p < 1:
        order = np.argsort(-p, kind="stable")
        sums = np.cumsum(p[order])
        if np.abs(sums - how.top_p).min() < NEAR or np.abs(np.diff(p[order])).min() < NEAR:
            return None
        p[order[np.searchsorted(sums, how.top_p) + 1 :]] = 0
        p /= p.sum()
    if how.min_p > 0:
        if np.abs(p - how.min_p * p.max()).min() < NEAR:
            return None
        p[p < how.min_p * p.max()] = 0
        p /= p.sum()
    return p


HOW = st.builds(
    Sampling,
    temperature=st.sampled_from([0.5, 0.9, 1.0, 2.0]),
    top_k=st.sampled_from([0, 1, 3, 7, 100]),
    top_p=st.sampled_from([1.0, 0.9, 0.5, 0.05]),
    min_p=st.sampled_from([0.0, 0.07, 0.4]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.8]),
)


@settings(deadline=None, max_examples=60)
@given(
    logits=st.lists(st.floats(-6, 6, width=32), min_size=4, max_size=12),
    how=HOW,
    seen=st.lists(st.integers(0, 3), max_size=4),
)
def test_distributions_are_those_of_float64(
    device: Device, logits: list[float], how: Sampling, seen: list[int]
) -> None:
    rows = np.array([logits, logits[::-1]], np.float32)
    draws = [Draw(how, 0, 0, seen), Draw(how, 0, 0, ())]
    wanted = [reference(row, how, each.seen) for row, each in zip(rows, draws, strict=True)]
    assume(all(row is not None for row in wanted))
    with Scope() as scope:
        on_device = scope.upload(rows)
        shape(device, scope, on_device, draws)
        got = on_device.download()
    for row, want in zip(got, wanted, strict=True):
        assert want is not None
        assert ((row > 0) == (want > 0)).all()
        # A logit of up to 6 * 1.3 / 0.5 is off by two roundings, so its exponential by 4 * 16 units
        # of 2^-24 at most, with a few more for expf, the sum of 12 and four divisions.
        np.testing.assert_allclose(row, want, rtol=100 * 2.0**-24)


def drawn(device: Device, logits: Floats, how: Sampling, count: int) -> npt.NDArray[np.int64]:
    """How often each token was drawn at *count* places."""
    rows = np.tile(logits, (count, 1))
    draws = [Draw(how, 11, place, ()) for place in range(count)]
    with Scope() as scope:
        tokens = sample(device, scope, scope.upload(rows), draws)
    return np.bincount(tokens, minlength=len(logits))


LOGITS = np.random.default_rng(4).normal(0, 1.5, 24).astype(np.float32)


@pytest.mark.parametrize(
    "how",
    [Sampling(1.0), Sampling(0.7, top_k=6), Sampling(1.3, top_p=0.83), Sampling(1.0, min_p=0.1)],
    ids=str,
)
def test_tokens_are_drawn_with_their_probability(device: Device, how: Sampling) -> None:
    counts = drawn(device, LOGITS, how, 3000)
    want = reference(LOGITS, how, ())
    assert want is not None
    assert fits(counts, want)
    other = reference(LOGITS, Sampling(how.temperature * 1.4), ())
    assert other is not None
    assert not fits(counts, other), "the test itself can fail"


def test_purposes_have_numbers_of_their_own(device: Device) -> None:
    """Pairs of draws at a place, for two purposes, are independent."""
    places = range(1500)
    pairs = []
    for purpose in (Purpose.TOKEN, Purpose.DRAFT):
        draws = [Draw(Sampling(1.0), 3, place, (), purpose) for place in places]
        with Scope() as scope:
            rows = scope.upload(np.zeros((len(places), 3), np.float32))
            pairs.append(np.array(sample(device, scope, rows, draws)))
    counts = np.bincount(pairs[0] * 3 + pairs[1], minlength=9)
    assert fits(counts, np.full(9, 1 / 9))
    assert not fits(np.bincount(pairs[0] * 4, minlength=9), np.full(9, 1 / 9))


@settings(deadline=None, max_examples=25)
@given(
    requests=st.lists(
        st.tuples(HOW | st.just(Sampling()), st.integers(0, 2**64 - 1), st.integers(0, 2**40)),
        min_size=1,
        max_size=6,
    ),
    order=st.randoms(use_true_random=False),
)
def test_a_token_does_not_depend_on_the_batch(
    device: Device, requests: list[tuple[Sampling, int, int]], order: object
) -> None:
    rows = np.random.default_rng(len(requests)).normal(0, 2, (len(requests), 9))
    draws = [Draw(how, seed, place, (1, 2)) for how, seed, place in requests]
    places = list(range(len(requests)))
    order.shuffle(places)  # type: ignore[attr-defined]

    def together(which: Sequence[int]) -> list[int]:
        with Scope() as scope:
            logits = scope.upload(rows[list(which)].astype(np.float32))
            return sample(device, scope, logits, [draws[place] for place in which])

    alone = [together([place])[0] for place in places]
    assert together(places) == alone


def test_a_batch_is_drawn_in_one_launch(device: Device) -> None:
    """Rows of several requests, each with a temperature, a seed and a place of its own."""
    launched: list[str] = []

    @contextmanager
    def watch(kernel: Kernel, arguments: object) -> Iterator[None]:
        del arguments
        launched.append(kernel.name)
        yield

    ways = [Sampling(0.5), Sampling(0.9, top_k=3), Sampling(0.9, top_k=3), Sampling(2.0, top_p=0.9)]
    draws = [Draw(how, 7 + row, row * row, ()) for row, how in enumerate(ways * 2)]
    with Scope() as scope, modules.watched_by(watch):
        tokens = sample(device, scope, scope.upload(np.tile(LOGITS, (len(draws), 1))), draws)
    assert launched.count("multinomial") == 1
    assert len(tokens) == len(draws)


def test_greedy_takes_the_first_of_the_best(device: Device) -> None:
    logits = np.array([[1, 3, 3, 0], [4, 1, 2, 3]], np.float32)
    penalised = Sampling(repetition_penalty=2.0)
    with Scope() as scope:
        plain = sample(device, scope, scope.upload(logits), [Draw(Sampling(), 0, 0, (1,))] * 2)
        less = sample(device, scope, scope.upload(logits), [Draw(penalised, 0, 0, (1, 0))] * 2)
    assert plain == [1, 0]
    assert less == [2, 3]


@pytest.mark.parametrize("how", [Sampling(), Sampling(1.0), Sampling(1.0, top_p=0.9)], ids=str)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_leave_no_choice(device: Device, how: Sampling, bad: float) -> None:
    logits = np.array([[0, 1], [bad, 1]], np.float32)
    with Scope() as scope, pytest.raises(LogitsError):
        sample(device, scope, scope.upload(logits), [Draw(how, 0, 0, ())] * 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"temperature": -0.1}, "temperature is -0.1, outside 0 to 10000"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": -1}, "top_k is -1"),
        ({"top_k": 1 << 40}, "top_k is 1099511627776, outside 0 to 2147483647"),
        ({"top_p": 1.01}, "top_p is 1.01, outside 0 to 1"),
        ({"min_p": -1}, "min_p is -1"),
        ({"repetition_penalty": 0}, "repetition_penalty is 0, outside 0.0001 to 10000"),
    ],
)
def test_sampling_that_cannot_be(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Sampling(**wrong)  # type: ignore[arg-type]
