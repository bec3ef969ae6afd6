"""Sampling, routing and what may be chosen near a tie; counter-based random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import acceptance, bounds
from hipaudit_reference.bounds import AMD
from hipaudit_reference.formats import FP16, FP32, round_to
from hipaudit_reference.references.softmaxes import softmax

Array = Any


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_its_known_answers(counter: list[int], key: list[int], words: str) -> None:
    expected = [int(word, 16) for word in words.split()]
    assert ref.philox4x32_10(np.array(counter), np.array(key)).tolist() == expected


def test_philox_broadcasts_and_its_uniforms_are_fp32_below_one() -> None:
    counter = np.zeros((2000, 4), dtype=np.uint32)
    counter[:, 0] = np.arange(2000)
    words = ref.philox4x32_10(counter, np.array([7, 0], dtype=np.uint32))
    np.testing.assert_array_equal(words[5], ref.philox4x32_10(counter[5], np.array([7, 0])))
    draws = ref.uniform(words)
    np.testing.assert_array_equal(round_to(draws, FP32), draws)
    assert np.all((draws >= 0) & (draws < 1))
    assert abs(draws.mean() - 0.5) < 4 / np.sqrt(12 * draws.size)
    assert ref.uniform(np.uint32(0xFFFFFFFF)) == 1 - 2.0**-24
    with pytest.raises(ValueError, match="does not fit 32 bits"):
        ref.philox4x32_10(np.array([0, 0, 0, 2**32]), np.array([0, 0]))
    with pytest.raises(TypeError, match="float64 is not an integer"):
        ref.uniform(np.array([1.0]))


def test_filters_break_ties_by_index() -> None:
    p = np.array([[0.2, 0.3, 0.2, 0.1, 0.2]])
    assert ref.top_k(p, 2)[0].tolist() == [True, True, False, False, False]
    assert ref.top_k(p, 3)[0].tolist() == [True, True, True, False, False]
    assert ref.top_p(p, 0.5)[0].tolist() == [True, True, False, False, False]
    assert ref.top_p(p, 0.50001)[0].tolist() == [True, True, True, False, False]
    assert ref.top_p(p, 0.0)[0].tolist() == [False, True, False, False, False]
    assert ref.min_p(p, 0.5)[0].tolist() == [True, True, True, False, True]
    for everything in (ref.top_k(p, 0), ref.top_k(p, 9), ref.top_p(p, 1.0)):
        assert np.all(everything)
    assert ref.greedy(p).tolist() == [1]
    assert ref.argmax(np.array([[3.0, np.nan, 9.0], [-0.0, 0.0, -0.0]])).tolist() == [1, 0]


def test_renormalised_probabilities_sum_to_one() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(200), 5)
    kept = ref.top_p(p, 0.7)
    q = ref.renormalise(p, kept)
    np.testing.assert_allclose(q.sum(axis=-1), 1, rtol=1e-14)
    assert not np.any(q[~kept])
    single = np.where(kept, p, 0).astype(np.float32)
    actual = single / single.sum(axis=-1, keepdims=True)
    bound = bounds.renormalise(p.astype(np.float32), kept)
    exact = ref.renormalise(p.astype(np.float32), kept)
    assert 0 < ref.judge(actual, exact, bound).worst <= 1
    assert ref.judge(p, exact, bound).worst > 1
    assert not np.any(ref.renormalise(p, np.zeros_like(kept)))


def test_penalties_and_temperature() -> None:
    logits = np.array([[2.0, -2.0, 0.0, 4.0]], dtype=np.float32)
    seen = np.array([[True, True, True, False]])
    y = ref.repetition_penalty(logits, seen, 1.1)
    np.testing.assert_allclose(y, [[2 / 1.1, -2.2, 0, 4]])
    bound = bounds.repetition_penalty(logits, seen, 1.1)
    factor = np.float32(1.1)
    actual = np.where(seen, np.where(logits > 0, logits / factor, logits * factor), logits)
    assert 0 < ref.judge(actual, y, bound).worst <= 1
    assert bound[0, 3] == 0
    inverse = np.float32(1) / np.float32(0.7)
    limit = bounds.temperature(logits, 0.7)
    assert ref.judge(logits * inverse, ref.temperature(logits, 0.7), limit).worst <= 1
    assert ref.judge(logits, ref.temperature(logits, 0.7), limit).worst > 1
    with pytest.raises(ValueError, match="temperature of 0 is not > 0"):
        ref.temperature(logits, 0)


def test_multinomial_inverts_the_distribution() -> None:
    p = np.array([[0.0, 0.25, 0.5, 0.0, 0.25]])
    draws = np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2.0**-24])
    index = ref.multinomial(np.repeat(p, 6, axis=0), draws)
    assert index.tolist() == [1, 1, 2, 2, 4, 4]
    assert ref.multinomial(np.zeros((1, 3)), np.array([0.5])).tolist() == [-1]
    counter = np.zeros((40_000, 4), dtype=np.uint32)
    counter[:, 0] = np.arange(40_000)
    u = ref.uniform(ref.philox4x32_10(counter, np.array([1, 2])))[:, 0]
    counts = np.bincount(ref.multinomial(np.repeat(p, len(u), axis=0), u), minlength=5)
    assert counts[0] == counts[3] == 0
    np.testing.assert_allclose(counts / len(u), p[0], atol=4 * np.sqrt(0.25 / len(u)))


def _near_ties() -> tuple[Array, Array, Array]:
    """Logits that nearly tie, their exact probabilities, and those of an fp32 kernel."""
    g = np.random.default_rng(1)
    level = g.integers(0, 6, (300, 64))
    # Near 0 there is room for differences that no fp32 exponential shows.
    logits = np.where(level == 0, g.integers(-8, 9, level.shape) * 2.0**-28, -level)
    logits = logits.astype(np.float32)
    power = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return logits, softmax(logits), power / power.sum(axis=-1, keepdims=True)


def _choose(p: Array, k: int) -> Array:
    return np.argsort(-p, axis=-1, kind="stable")[:, :k]


def test_top_k_of_a_kernel_is_accepted_where_equality_would_fail() -> None:
    logits, exact, rounded = _near_ties()
    error = bounds.softmax(logits, device=AMD)
    chosen, expected = _choose(rounded, 8), _choose(exact, 8)
    assert np.any(np.sort(chosen) != np.sort(expected))
    assert not np.any(acceptance.top_k(exact, chosen, error))
    assert not np.any(acceptance.top_k(exact, expected, error))
    assert not np.any(acceptance.argmax(exact, chosen[:, 0], error))


def test_top_k_rejects_wrong_choices() -> None:
    logits, exact, _ = _near_ties()
    error = bounds.softmax(logits, device=AMD)
    chosen = _choose(exact, 8)
    swapped = chosen[:, [7, 1, 2, 3, 4, 5, 6, 0]]
    assert np.any(acceptance.top_k(exact, swapped, error) > 0)
    assert not np.any(acceptance.top_k(exact, swapped, error, in_order=False))
    assert np.all(acceptance.top_k(exact, (chosen + 1) % 64, error) > 0)
    assert np.all(
        acceptance.top_k(exact, np.where(chosen == chosen[:, :1], 64, chosen), error) == np.inf
    )
    twice = chosen.copy()
    twice[:, 1] = twice[:, 0]
    assert np.all(acceptance.top_k(exact, twice, error) == np.inf)


def test_exact_scores_leave_ties_to_the_index() -> None:
    scores = np.array([[1.0, 2.0, 2.0, 0.0]])
    assert acceptance.top_k(scores, np.array([[1, 2]])) == 0
    assert acceptance.top_k(scores, np.array([[2, 1]])) > 0
    assert acceptance.top_k(scores, np.array([[2, 1]]), in_order=False) == 0
    assert acceptance.argmax(scores, np.array([2])) > 0
    assert acceptance.argmax(scores, np.array([2]), 1e-9) == 0


def test_an_argmax_is_the_first_nan_where_there_is_one() -> None:
    """As `ref.argmax` has it; of scores that carry an error any NaN may be the one."""
    scores = np.array([[1.0, np.nan, np.inf, np.nan]])
    assert ref.argmax(scores).tolist() == [1]
    verdicts = [float(acceptance.argmax(scores, np.array([i]))[0]) for i in range(4)]
    assert verdicts == [np.inf, 0, np.inf, np.inf]
    verdicts = [float(acceptance.argmax(scores, np.array([i]), 0.1)[0]) for i in range(4)]
    assert verdicts == [np.inf, 0, np.inf, 0]
    assert acceptance.argmax(scores, np.array([4])) == np.inf
    two = np.concatenate([scores, [[3.0, 5.0, 4.0, 2.0]]])
    assert acceptance.argmax(two, np.array([1, 1])).tolist() == [0, 0]
    assert acceptance.argmax(two, np.array([1, 2])).tolist() == [0, 1]


@pytest.mark.parametrize("error", [0.0, 1e-6])
def test_choices_among_infinities_are_right_or_wrong_and_never_nan(error: float) -> None:
    scores = np.array([[1.0, -np.inf, -np.inf, np.inf, np.inf]])
    for chosen in ([3], [3, 4], [3, 4, 0], [3, 4, 0, 1], [3, 4, 0, 1, 2]):
        assert acceptance.top_k(scores, np.array([chosen]), error).tolist() == [0]
    for chosen in ([0], [3, 0], [3, 4, 1]):
        assert acceptance.top_k(scores, np.array([chosen]), error).tolist() == [np.inf]


def test_top_p_of_a_kernel_is_accepted_and_a_wrong_set_is_not() -> None:
    logits, exact, rounded = _near_ties()
    error = bounds.softmax(logits, device=AMD)
    kept = ref.top_p(rounded, 0.8)
    assert not np.any(acceptance.top_p(exact, kept, 0.8, error))
    assert np.any(acceptance.top_p(exact, ref.top_p(exact, 0.85), 0.8, error) > 0)
    assert np.any(acceptance.top_p(exact, ref.top_p(exact, 0.75), 0.8, error) > 0)
    assert np.all(acceptance.top_p(exact, ~kept, 0.8, error) > 0)
    assert np.all(acceptance.top_p(exact, np.zeros_like(kept), 0.8, error) == np.inf)
    whole = np.ones_like(kept)
    assert not np.any(acceptance.top_p(exact, whole, 1.0, error))


def test_min_p_of_a_kernel_is_accepted_and_a_wrong_set_is_not() -> None:
    logits, exact, rounded = _near_ties()
    error = bounds.softmax(logits, device=AMD)
    # Border ties: e^-1 of the largest, as fp32 and float64 round it differently.
    share = float(np.exp(-1.0))
    kept = ref.min_p(rounded, share)
    assert np.any(kept != ref.min_p(exact, share))
    assert not np.any(acceptance.min_p(exact, kept, share, error))
    assert np.any(acceptance.min_p(exact, ref.min_p(exact, share / 4), share, error) > 0)
    assert np.any(acceptance.min_p(exact, ref.min_p(exact, share * 4), share, error) > 0)
    edge = np.array([[0.5, 0.25, 0.25]])
    assert acceptance.min_p(edge, np.array([[True, True, False]]), 0.5, 0.0) > 0
    assert acceptance.min_p(edge, np.array([[True, True, True]]), 0.5, 0.0) == 0


def test_multinomial_of_a_kernel_is_accepted_near_the_borders_only() -> None:
    logits, exact, rounded = _near_ties()
    error = bounds.softmax(logits, device=AMD)
    draws = ref.uniform(np.random.default_rng(2).integers(0, 2**32, 300))
    # Draws on the kernel's own borders, where a rounding decides.
    border = np.cumsum(rounded, axis=-1, dtype=np.float32)[:, 30]
    for u in (draws, border.astype(np.float64)):
        sums = np.cumsum(rounded, axis=-1, dtype=np.float32)
        target = u.astype(np.float32) * sums[:, -1]
        index = np.sum(sums <= target[:, None], axis=-1)
        assert not np.any(acceptance.multinomial(exact, u, index, error))
        assert np.all(acceptance.multinomial(exact, u, (index + 20) % 64, error) > 0)
    assert np.any(ref.multinomial(exact, border) != np.full(300, 31))


def test_multinomial_never_accepts_the_impossible() -> None:
    p = np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]])
    assert acceptance.multinomial(p, np.array([0.5, 0.5]), np.array([2, -1])).tolist() == [0, 0]
    excess = acceptance.multinomial(p, np.array([0.5, 0.5]), np.array([1, 0]))
    assert np.all(excess == np.inf)
    assert np.all(acceptance.multinomial(p[:1], np.array([0.1]), np.array([3])) == np.inf)
    assert np.all(acceptance.multinomial(p[:1], np.array([0.1]), np.array([-1])) == np.inf)
    assert np.all(acceptance.multinomial(p[:1], np.array([0.9]), np.array([0])) > 0)


def test_router_weights_are_within_their_bound_rank_by_rank() -> None:
    logits, _, rounded = _near_ties()
    for normalised in (True, False):
        weights, order = ref.router(logits, 8, normalised)
        chosen = np.take_along_axis(rounded, _choose(rounded, 8), axis=-1)
        if normalised:
            chosen = chosen / chosen.sum(axis=-1, keepdims=True)
        bound, zero = bounds.router(logits, 8, normalised)
        assert 0 < ref.judge(chosen, weights, bound).worst <= 1
        assert ref.judge(round_to(chosen, FP16), weights, bound).worst > 1
        assert zero.shape == order.shape
        assert np.all(np.diff(weights) <= 0)


def test_permutation_groups_by_expert_in_order() -> None:
    chosen = np.array([[2, 0], [1, 2], [0, 1]])
    source, offsets = ref.permute(chosen, 4)
    assert source.tolist() == [1, 4, 2, 5, 0, 3]
    assert offsets.tolist() == [0, 2, 4, 6, 6]
    y = np.arange(12.0).reshape(6, 2)
    whole = ref.combine(y[source], np.ones((3, 2)), source)
    np.testing.assert_array_equal(whole, y.reshape(3, 2, 2).sum(axis=1))
    with pytest.raises(ValueError, match=r"\[4\] is no expert of 4"):
        ref.permute(chosen * 2, 4)
    with pytest.raises(ValueError, match="do not rise from 0 to 3"):
        ref.grouped_gemm(np.ones((3, 2)), np.ones((2, 2, 2)), np.array([0, 2, 4]))


def test_a_flushing_device_may_find_no_mass_in_subnormals() -> None:
    """Whatever it makes of them, a share lies in [0, 1]: the bound is finite, and allows both."""
    p = np.array([[0.0, 4.4e-43, 1.1e-41], [1.0, 0.25, 1.1e-41]], dtype=np.float32)
    kept = np.array([[True, False, True], [False, True, True]])
    y = ref.renormalise(p, kept)
    bound = bounds.renormalise(p, kept, device=AMD.flushing())
    assert np.all(np.isfinite(bound))
    assert 1 <= bound[0, 2] < 1.00001
    flushed = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert np.all(np.abs(flushed - y) <= bound)
    assert np.all(bounds.renormalise(p, kept)[0] < 1e-6)
