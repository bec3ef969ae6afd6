"""Laws between runs of one kernel: what no reference is needed to know.

Where a change of the input is exact in binary (a power of two, numbers of few bits, an order of
rows) the outputs must agree in every bit; elsewhere within the bounds of both runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipaudit.device import Device
from hipaudit.inputs import float32, lengths, matrices, well_scaled
from hipaudit.library import SPECS
from hipaudit.spec import Array
from hipaudit_reference import bounds
from hipaudit_runtime import ops

pytestmark = pytest.mark.numerics

SETTINGS = settings(max_examples=15, deadline=None, database=None, derandomize=True)
BY_NAME = {spec.name: spec for spec in SPECS}
SEEDS = st.integers(0, 2**32 - 1)


def bound(name: str, **inputs: Any) -> Array:
    """The bound of a library kernel."""
    limit = BY_NAME[name].bound
    assert limit is not None
    return np.asarray(limit(**inputs))


def within(one: Array, other: Array, *limits: Array) -> None:
    """Assert that two outputs agree as far as the sum of the limits."""
    distance = np.abs(one.astype(np.float64) - other.astype(np.float64))
    allowed = sum(limits, np.zeros(()))
    worst = np.unravel_index(int(np.argmax(distance - allowed)), distance.shape)
    assert np.all(distance <= allowed), (worst, one[worst], other[worst], distance[worst])


def few_bits(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Multiples of 1/8 between -16 and 16: sums and differences of a few are exact."""
    return (generator.integers(-128, 129, shape) / 8).astype(float32)


def test_softmax_does_not_see_a_shift(part: Device) -> None:
    @SETTINGS
    @given(lengths(1, 8), lengths(1, 700), SEEDS, st.sampled_from([-4096.0, -0.125, 7.0, 65536.0]))
    def law(rows: int, columns: int, seed: int, shift: float) -> None:
        x = few_bits(np.random.default_rng(seed), (rows, columns))
        assert np.array_equal(ops.softmax(part, x), ops.softmax(part, x + float32.type(shift)))

    law()


def test_softmax_permutes_with_its_rows_and_columns(part: Device) -> None:
    @SETTINGS
    @given(matrices(float32, rows=lengths(1, 8), columns=lengths(1, 700)), SEEDS)
    def law(x: Array, seed: int) -> None:
        generator = np.random.default_rng(seed)
        rows, columns = generator.permutation(x.shape[0]), generator.permutation(x.shape[1])
        y = ops.softmax(part, x)
        assert np.array_equal(ops.softmax(part, x[rows]), y[rows])
        moved = ops.softmax(part, np.ascontiguousarray(x[:, columns]))
        within(moved, y[:, columns], 2 * bound("softmax", x=x)[:, columns])

    law()


def test_rms_norm_does_not_see_a_scale(part: Device) -> None:
    @SETTINGS
    @given(lengths(1, 8), lengths(1, 1500), SEEDS, st.integers(-20, 20))
    def law(rows: int, columns: int, seed: int, power: int) -> None:
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(rows, columns)).astype(float32)
        weight = generator.normal(size=columns).astype(float32)
        scale = 2.0**power
        scaled = ops.rms_norm(part, x * float32.type(scale), weight, 2.0**-20 * scale * scale)
        assert np.array_equal(ops.rms_norm(part, x, weight, 2.0**-20), scaled)

    law()


def test_attention_does_not_see_the_order_of_keys(part: Device) -> None:
    @SETTINGS
    @given(st.integers(1, 5), lengths(1, 130), st.sampled_from([8, 64, 80]), SEEDS)
    def law(queries: int, keys: int, size: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        shapes = {"q": (1, 2, queries, size), "k": (1, 1, keys, size), "v": (1, 1, keys, size)}
        heads = {name: generator.normal(size=shape) for name, shape in shapes.items()}
        q, k, v = (heads[name].astype(float32) for name in "qkv")
        how = {"scale": None, "window": None, "softcap": None, "causal": False}
        order = generator.permutation(keys)
        moved_k, moved_v = (np.ascontiguousarray(each[:, :, order]) for each in (k, v))
        plain = ops.flash_attention(part, q, k, v, ops.Logits(causal=False))
        moved = ops.flash_attention(part, q, moved_k, moved_v, ops.Logits(causal=False))
        within(moved, plain, 2 * bound("flash_attention_f32", q=q, k=k, v=v, **how))

    law()


def test_rope_keeps_products_of_equal_distances(part: Device) -> None:
    @SETTINGS
    @given(st.integers(0, 3000), st.integers(0, 64), st.integers(0, 3000), SEEDS)
    def law(position: int, distance: int, shift: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(2, 1, 64)).astype(float32)
        products, limits = [], []
        for start in (position, position + shift):
            inputs: dict[str, Any] = {
                "x": x,
                "positions": np.array([start, start + distance], np.int32),
                "base": 10000.0,
                "rotated": 64,
                "interleaved": False,
            }
            turned = ops.rope(part, **inputs).astype(np.float64)
            error = bound("rope", **inputs)
            products.append(turned[0, 0] @ turned[1, 0])
            limits.append(
                np.abs(turned[0, 0]) @ error[1, 0]
                + error[0, 0] @ np.abs(turned[1, 0])
                + error[0, 0] @ error[1, 0]
            )
        within(np.array(products[0]), np.array(products[1]), np.array(sum(limits)))

    law()


def test_gemm_is_linear(part: Device) -> None:
    @SETTINGS
    @given(lengths(1, 70), lengths(1, 70), lengths(1, 130), SEEDS, st.integers(-30, 30))
    def law(m: int, n: int, k: int, seed: int, power: int) -> None:
        generator = np.random.default_rng(seed)
        one, other = few_bits(generator, (m, k)), few_bits(generator, (m, k))
        b = generator.normal(size=(k, n)).astype(float32)
        parts = [ops.gemm_f32(part, a, b).astype(np.float64) for a in (one, other)]
        limits = [bounds.gemm(a, b) for a in (one, other, one + other)]
        within(ops.gemm_f32(part, one + other, b), parts[0] + parts[1], *limits)
        scale = float32.type(2.0**power)
        scaled = ops.gemm_f32(part, one * scale, b)
        assert np.array_equal(scaled, ops.gemm_f32(part, one, b) * scale)

    law()


def test_gemm_of_transposes_is_the_transpose(part: Device) -> None:
    @SETTINGS
    @given(lengths(1, 70), lengths(1, 70), lengths(1, 130), SEEDS)
    def law(m: int, n: int, k: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        a = generator.normal(size=(m, k)).astype(float32)
        b = generator.normal(size=(k, n)).astype(float32)
        turned = ops.gemm_f32(part, b.T.copy(), a.T.copy()).T
        within(turned, ops.gemm_f32(part, a, b), 2 * bounds.gemm(a, b))

    law()


def test_running_sums_end_in_the_sum(part: Device) -> None:
    @SETTINGS
    @given(matrices(float32, rows=lengths(1, 8), columns=lengths(1, 900), elements=well_scaled()))
    def law(x: Array) -> None:
        last = ops.prefix_sum(part, x)[:, -1]
        limits = bound("prefix_sum", x=x)[:, -1], bound("sum_tree", x=x)
        within(ops.sum_tree(part, x), last, *limits)

    law()


def test_the_largest_element_does_not_move(part: Device) -> None:
    @SETTINGS
    @given(matrices(float32, rows=lengths(1, 8), columns=lengths(1, 900)), SEEDS)
    def law(x: Array, seed: int) -> None:
        columns = np.random.default_rng(seed).permutation(x.shape[1])
        moved = ops.row_max(part, np.ascontiguousarray(x[:, columns]))
        assert np.array_equal(moved, ops.row_max(part, x))
        assert np.array_equal(moved, np.sort(x, axis=1)[:, -1])

    law()


def test_the_router_s_choice_is_the_head_of_a_stable_sort(part: Device) -> None:
    """Logits an eighth apart, or equal: rounding cannot turn two of them round."""

    @SETTINGS
    @given(lengths(1, 9), lengths(1, 300), SEEDS, st.integers(1, 40))
    def law(tokens: int, experts: int, seed: int, wanted: int) -> None:
        x = few_bits(np.random.default_rng(seed), (tokens, experts))
        count = min(wanted, experts)
        order = np.argsort(-x, axis=1, kind="stable")[:, :count]
        weights, indices = ops.router(part, x, count, normalised=False)
        assert np.array_equal(indices, order)
        probabilities = np.take_along_axis(ops.softmax(part, x), order, axis=1)
        limits = np.take_along_axis(bound("softmax", x=x), order, axis=1)
        routed = bound("moe_router", logits=x, count=count, normalised=False)[0]
        within(weights, probabilities, limits, routed)

    law()


def test_the_top_k_are_the_head_of_a_stable_sort(part: Device) -> None:
    @SETTINGS
    @given(lengths(1, 5), lengths(1, 900), SEEDS, st.integers(1, 900), st.booleans())
    def law(rows: int, columns: int, seed: int, wanted: int, tied: bool) -> None:
        generator = np.random.default_rng(seed)
        x = generator.integers(1, 20 if tied else 2**24, (rows, columns)).astype(float32)
        x /= np.float32(2.0**24)
        k = min(wanted, columns)
        expected = np.zeros(x.shape, np.bool_)
        order = np.argsort(-x, axis=1, kind="stable")[:, :k]
        np.put_along_axis(expected, order, np.ones_like(order, np.bool_), axis=1)
        assert np.array_equal(ops.top_k(part, x, k), expected)

    law()
