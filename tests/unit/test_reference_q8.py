"""The bound of products whose activations are rounded to Q8_1, on simulated kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.arrays import Float64
from hipaudit_reference.bounds.quantised import q8_error
from hipaudit_reference.formats import FP32, ggml
from hipaudit_reference.summation import Serial

COLUMNS = 512
Rounding = Callable[[Any], Any]


def half_away(values: Any) -> Any:
    """C's roundf, which ggml's kernels use."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def quantised(x: Any, rounding: Rounding) -> Float64:
    """X as Q8_1 has it: levels in fp32, the step kept in fp16."""
    blocks = x.astype(np.float32).reshape(-1, 32)
    step = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), step, out=np.zeros_like(step), where=step > 0)
    with np.errstate(over="ignore"):
        kept = step.astype(np.float16).astype(np.float64)
    return np.asarray((rounding(blocks * inverse) * kept).reshape(x.shape))


def product(blocks: Any, kind: str, x: Any, rounding: Rounding = half_away) -> Any:
    """What a kernel of integer dot products gives, in float32 but for the integers."""
    matrix = ref.dequantise(blocks, kind).reshape(-1, COLUMNS)
    return (quantised(x, rounding) @ matrix.T).astype(np.float32)


def weights(kind: str, seed: int, rows: int = 6) -> Any:
    """Random blocks with scales of ordinary size."""
    described = ggml.BLOCK_TYPES[kind]
    count = rows * COLUMNS // described.elements
    blocks = np.random.default_rng(seed).integers(0, 256, (count, described.bytes), dtype=np.uint8)
    scale = np.random.default_rng(seed + 1).normal(0, 0.02, count).astype(np.float16)
    blocks[:, :2] = scale.view(np.uint8).reshape(-1, 2)
    if kind == "Q4_1":
        blocks[:, 2:4] = (-8 * scale).astype(np.float16).view(np.uint8).reshape(-1, 2)
    return blocks


def activations(name: str) -> Any:
    """Vectors that meet the rounding where it is worst, and ordinary ones."""
    generator = np.random.default_rng(5)
    ties = np.full((2, COLUMNS), 0.5)
    ties[:, ::32] = 127.0
    return {
        "normal": generator.normal(0, 1, (4, COLUMNS)),
        "wide": generator.normal(0, 1, (4, COLUMNS)) * 10.0 ** generator.uniform(-9, 4, COLUMNS),
        "ties": ties,
        "one large": np.where(np.arange(COLUMNS) % 32 == 0, 1e6, 1.0)[None, :],
        "tiny": generator.normal(0, 1e-6, (2, COLUMNS)),
        "zeros": np.zeros((1, COLUMNS)),
    }[name].astype(np.float32)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
@pytest.mark.parametrize("name", ["normal", "wide", "ties", "one large", "tiny", "zeros"])
@pytest.mark.parametrize("rounding", [half_away, np.rint])
def test_integer_products_keep_the_bound(kind: str, name: str, rounding: Rounding) -> None:
    blocks, x = weights(kind, 3), activations(name)
    limit = bounds.quantised_gemm(blocks, kind, x, factored=True, activations="Q8_1")
    error = np.abs(product(blocks, kind, x, rounding) - ref.quantised_gemm(blocks, kind, x))
    assert np.all(np.isfinite(limit))
    assert np.all(error <= limit)


def test_the_bound_can_fail() -> None:
    blocks, x = weights("Q4_0", 3), activations("normal")
    exact = ref.quantised_gemm(blocks, "Q4_0", x)
    limit = bounds.quantised_gemm(blocks, "Q4_0", x, factored=True, activations="Q8_1")
    good = product(blocks, "Q4_0", x)
    for wrong in (-good, np.zeros_like(good), product(blocks, "Q4_0", np.roll(x, 1, axis=1))):
        assert np.any(np.abs(wrong - exact) > limit)
    # Rounding towards zero loses up to a whole step.
    plain = np.full((1, COLUMNS), 0.99, np.float32)
    plain[:, ::32] = 127.0
    ones = weights("Q8_0", 3)
    ones[:, 2:] = 1
    ones[:, :2] = np.array([1.0], np.float16).view(np.uint8)
    off = np.abs(product(ones, "Q8_0", plain, np.trunc) - ref.quantised_gemm(ones, "Q8_0", plain))
    assert np.any(off > bounds.quantised_gemm(ones, "Q8_0", plain, activations="Q8_1"))


def test_the_error_of_a_single_element_is_nearly_reached() -> None:
    x = np.zeros(32)
    x[0], x[1] = 127.0, 63.5
    error = q8_error(x, FP32, bounds.AMD)
    assert error[1] == pytest.approx(0.5, rel=0.1)
    assert abs(float(quantised(x.astype(np.float32), half_away)[1]) - 63.5) == 0.5


def test_a_step_beyond_fp16_is_not_determined() -> None:
    x = np.full((1, COLUMNS), 1e7, np.float32)
    limit = bounds.quantised_gemm(weights("Q4_0", 3), "Q4_0", x, activations="Q8_1")
    assert np.all(limit == np.inf)


def test_activations_as_given_are_not_moved() -> None:
    blocks, x = weights("Q4_0", 3), activations("normal")
    plain = bounds.quantised_gemv(blocks, "Q4_0", x[0], height=Serial())
    rounded = bounds.quantised_gemv(blocks, "Q4_0", x[0], height=Serial(), activations="Q8_1")
    assert np.all(plain < rounded / 10)
