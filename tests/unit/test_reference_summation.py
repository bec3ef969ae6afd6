"""Models of summation against sums carried out in fp32; growth laws; trees from masked probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import analysis, bounds
from hipaudit_reference.analysis import SummationTree, simulate
from hipaudit_reference.bounds import EMULATED
from hipaudit_reference.formats import BF16, FP16, FP32, round_to
from hipaudit_reference.summation import (
    BlockFma,
    Compensated,
    Kahan,
    Pairwise,
    Probabilistic,
    Serial,
    SplitK,
    Strided,
    Summation,
    Tree,
    compose,
    gamma,
)

Array = Any
_U = FP32.unit_roundoff


def _split(x: Array) -> Array:
    parts = [round_to(simulate.serial(p), FP16) for p in np.array_split(x, 8, axis=-1)]
    total = np.zeros(x.shape[:-1])
    for part in parts:
        total = round_to(total + part, FP16)
    return total


def _two_sums(x: Array, *, ordered: bool = False) -> Array:
    """A serial sum whose errors are kept beside it; by Dekker's short form if *ordered*."""
    value, kept = np.zeros((2, len(x)), np.float32)
    for term in x.T:
        total = value + term
        rest = np.float32(0) if ordered else total - value
        kept += (value - (total - rest)) + (term - rest)
        value = total
    return np.asarray(value + kept)


_ORDERS: dict[str, tuple[Summation, Callable[[Array], Array]]] = {
    "serial": (Serial(), simulate.serial),
    "tree": (Tree(11), simulate.tree),
    "pairwise": (Pairwise(), simulate.tree),
    "strided": (Strided(64), lambda x: simulate.strided(x, 64)),
    "kahan": (Kahan(), simulate.kahan),
    "compensated": (Compensated(1999), _two_sums),
    "split": (SplitK(8, partial=FP16), _split),
}


def _rows(kind: str, terms: int = 2000) -> Array:
    generator = np.random.default_rng(7)
    x = generator.normal(0, 1, (40, terms))
    if kind == "positive":
        x = np.abs(x)
    if kind == "cancelling":
        x -= x.mean(axis=1, keepdims=True)
    if kind == "growing":
        x = np.sort(np.abs(x) ** 5, axis=1)
    return x.astype(np.float32)


@pytest.mark.parametrize("kind", ["normal", "positive", "cancelling", "growing"])
@pytest.mark.parametrize("order", _ORDERS)
def test_bound_of_each_order_holds(order: str, kind: str) -> None:
    model, run = _ORDERS[order]
    x = _rows(kind)
    bound = bounds.reduce_sum(x, height=model, out=FP32)
    assert ref.judge(run(x), ref.reduce_sum(x), bound).worst <= 1


@pytest.mark.parametrize("order", ["serial", "tree", "kahan"])
def test_bounds_are_near_what_is_seen(order: str) -> None:
    model, run = _ORDERS[order]
    worst = max(
        ref.judge(run(x), ref.reduce_sum(x), bounds.reduce_sum(x, height=model)).worst
        for x in (_rows(kind, 64) for kind in ("normal", "positive", "cancelling"))
    )
    assert worst > 0.05


def test_a_better_orders_bound_rejects_the_serial_sum() -> None:
    x = np.full((1, 1 << 16), np.float32(0.1))
    serial = simulate.serial(x)
    for model in (Tree(16), Kahan(), Pairwise()):
        bound = bounds.reduce_sum(x, height=model)
        assert ref.judge(serial, ref.reduce_sum(x), bound).worst > 1
        assert ref.judge(simulate.tree(x), ref.reduce_sum(x), bound).worst <= 1
    bound = bounds.reduce_sum(x)
    assert ref.judge(serial, ref.reduce_sum(x), bound).worst <= 1
    missing = simulate.serial(x[:, :-2048])
    assert ref.judge(missing, ref.reduce_sum(x), bound).worst > 1


def test_the_bound_of_two_sums_rejects_those_that_need_ordered_terms() -> None:
    x = np.array([[1.0, 1e8 + 8, 3.0, -1e8 - 8, -4.0]], np.float32)
    x = np.hstack([np.array([[2.0**-20]], np.float32), x])
    bound = bounds.reduce_sum(x, height=Compensated(5))
    assert ref.judge(_two_sums(x), ref.reduce_sum(x), bound).worst <= 1
    assert ref.judge(_two_sums(x, ordered=True), ref.reduce_sum(x), bound).worst > 1


def test_a_truncating_device_has_no_bound_of_two_sums() -> None:
    truncating = replace(bounds.AMD, truncates=True)
    with pytest.raises(ValueError, match="two-sums"):
        bounds.reduce_sum(np.ones(3, np.float32), height=Compensated(2), device=truncating)


def test_coefficients_are_those_of_the_literature() -> None:
    n, u = 1024, _U
    assert Serial().coefficient(n, u) == (n - 1) * u
    assert Tree(10).coefficient(n, u) == gamma(10, u)
    assert Strided(256).coefficient(n, u) == gamma(3 + 8, u)
    assert Pairwise(8).coefficient(n, u) == gamma(7 + 7, u)
    assert Kahan().coefficient(n, u) == pytest.approx(2 * u, rel=1e-3)
    assert BlockFma(8).coefficient(n, u) == gamma(128, u)
    assert BlockFma(8, exact_inside=False).coefficient(n, u) == gamma(135, u)
    half = FP16.unit_roundoff
    assert SplitK(4, partial=FP16).coefficient(n, u) == compose(255 * u, 4 * half)
    root = Probabilistic(Serial()).coefficient(n, u)
    assert root == pytest.approx(5 * np.sqrt(n - 1) * u, rel=1e-4)
    assert Probabilistic(Serial()).probability(u) > 0.99999
    assert gamma(2**24, u) == np.inf
    assert Compensated(10).coefficient(n, u) == pytest.approx(u, rel=1e-3)
    for model in (Serial(), Pairwise(), Kahan(), BlockFma(8), Strided(64), Tree(0)):
        assert model.coefficient(1, u) < 2 * u
        assert model.coefficient(0, u) == 0


def test_a_tree_too_low_for_its_terms_is_refused() -> None:
    with pytest.raises(ValueError, match="height 9 cannot add 513 terms: that takes 10"):
        bounds.reduce_sum(np.ones(513), height=9)
    assert np.isfinite(bounds.reduce_sum(np.ones(512), height=9))


def test_the_probabilistic_form_is_not_for_truncating_units() -> None:
    truncating = EMULATED.truncating()
    x = np.ones(100, dtype=np.float32)
    root = bounds.reduce_sum(x, height=Probabilistic(Serial()))
    assert root < bounds.reduce_sum(x)
    with pytest.raises(ValueError, match="truncating"):
        bounds.reduce_sum(x, height=Probabilistic(Serial()), device=truncating)


@pytest.mark.parametrize("exclusive", [False, True])
def test_prefix_sum_bound_holds(exclusive: bool) -> None:
    x = _rows("cancelling")
    running = np.cumsum(x, axis=-1, dtype=np.float32)
    if exclusive:
        running = np.concatenate([np.zeros_like(running[:, :1]), running[:, :-1]], axis=-1)
    exact = ref.prefix_sum(x, exclusive=exclusive)
    bound = bounds.prefix_sum(x, exclusive=exclusive)
    assert 0 < ref.judge(running, exact, bound).worst <= 1
    assert not np.any(bound[:, : 1 + exclusive])
    shifted = ref.prefix_sum(x, exclusive=not exclusive)
    assert ref.judge(shifted, exact, bound).worst > 1


def _growth(run: Callable[[Array], Array], draw: Callable[[int], Array]) -> analysis.GrowthFit:
    sizes = 2 ** np.arange(5, 15)
    errors = []
    for n in sizes:
        x = draw(int(n))
        relative = np.abs(run(x) - ref.reduce_sum(x)) / ref.reduce_sum(np.abs(x))
        errors.append(np.sqrt(np.mean(relative**2)))
    return analysis.fit_growth(sizes, errors)


def _uniform(n: int) -> Array:
    return np.random.default_rng(n).uniform(0, 1, (60, n)).astype(np.float32)


def test_growth_tells_the_orders_apart() -> None:
    assert _growth(simulate.serial, _uniform).law == "sqrt"
    assert _growth(simulate.kahan, _uniform).law == "flat"
    assert _growth(simulate.tree, _uniform).law in ("log", "flat")

    def truncated(x: Array) -> Array:
        total = np.zeros(len(x))
        for column in x.T:
            total = round_to(total + column, FP32, "zero")
        return total

    fit = _growth(truncated, lambda n: _uniform(n)[:4])
    assert fit.law == "linear"
    assert fit.exponent == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("law", "errors"),
    [
        ("linear", lambda n: 3e-8 * n),
        ("sqrt", lambda n: 3e-8 * np.sqrt(n)),
        ("log", lambda n: 3e-8 * np.log2(n)),
        ("flat", lambda n: 3e-8 + 0 * n),
        ("flat", lambda n: 0 * n),
    ],
)
def test_growth_fits_its_own_laws(law: str, errors: Callable[[Array], Array]) -> None:
    sizes = 2.0 ** np.arange(4, 13)
    fit = analysis.fit_growth(sizes, errors(sizes))
    assert fit.law == law
    assert not fit.ambiguous
    assert fit.scatter < 1e-6


def test_growth_refuses_what_it_cannot_fit() -> None:
    with pytest.raises(ValueError, match="too few or near"):
        analysis.fit_growth([32, 64, 128], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="differ"):
        analysis.fit_growth([32, 64, 1024], [1.0, 2.0])


def _fused(x: Array) -> Array:
    """Four terms and the accumulator at a time, aligned to the largest, as a matrix unit does."""
    total = np.zeros((*x.shape[:-1], 1))
    for start in range(0, x.shape[-1], 4):
        terms = np.concatenate([total, x[..., start : start + 4]], axis=-1).astype(np.float64)
        _, exponent = np.frexp(np.max(np.abs(terms), axis=-1, keepdims=True))
        grid = np.ldexp(1.0, exponent - 26)
        total = round_to(np.sum(np.trunc(terms / grid), axis=-1, keepdims=True) * grid, FP32)
    return total[..., 0]


def _leaves(tree: SummationTree) -> list[int]:
    stack, found = [tree], []
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        if not node.children:
            found.append(node.index)
    return sorted(found)


@pytest.mark.parametrize(
    ("run", "terms", "height"),
    [
        (simulate.serial, 37, 36),
        (simulate.tree, 64, 6),
        (lambda x: simulate.strided(x, 8), 40, 4 + 3),
        (_fused, 24, 6),
        (simulate.serial, 1, 0),
        (simulate.serial, 2, 1),
    ],
    ids=["serial", "tree", "strided", "fused", "one", "two"],
)
def test_probes_reveal_the_tree(run: Callable[[Array], Array], terms: int, height: int) -> None:
    outputs = run(analysis.probes(terms).astype(np.float32)) if terms > 1 else np.zeros(0)
    tree = analysis.reveal(outputs, terms)
    assert tree.height == height
    assert tree.terms == terms
    assert _leaves(tree) == list(range(terms))
    assert tree.fused == (run is _fused)


def test_probes_reveal_the_order_inside_a_serial_sum() -> None:
    tree = analysis.reveal(simulate.serial(analysis.probes(5).astype(np.float32)), 5)
    order = []
    while tree.children:
        order.append(tree.children[1].index)
        tree = tree.children[0]
    assert [*order, tree.index] == [4, 3, 2, 1, 0]


def test_probes_fit_half_precision() -> None:
    inputs = analysis.probes(20, FP16)
    np.testing.assert_array_equal(round_to(inputs, FP16), inputs)
    total = np.zeros(len(inputs))
    for column in inputs.T:
        total = round_to(total + column, FP16)
    assert analysis.reveal(total, 20, FP16).height == 19
    with pytest.raises(ValueError, match="bfloat16 cannot tell 300 terms apart"):
        analysis.probes(300, BF16)


def test_probes_refuse_what_is_no_tree() -> None:
    inputs = analysis.probes(8).astype(np.float32)
    with pytest.raises(ValueError, match="no tree sums like this"):
        analysis.reveal(simulate.serial(inputs) + 0.5, 8)
    with pytest.raises(ValueError, match="no tree sums like this"):
        analysis.reveal(np.random.default_rng(0).permutation(simulate.tree(inputs)), 8)
    with pytest.raises(ValueError, match="27 sums for the 28 pairs"):
        analysis.reveal(np.zeros(27), 8)


def test_the_revealed_height_feeds_the_bound() -> None:
    tree = analysis.reveal(simulate.tree(analysis.probes(16).astype(np.float32)), 16)
    x = _rows("positive", 16)
    bound = bounds.reduce_sum(x, height=tree.height)
    assert ref.judge(simulate.tree(x), ref.reduce_sum(x), bound).worst <= 1
    assert np.all(bound < bounds.reduce_sum(x))
