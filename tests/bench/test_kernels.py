"""Throughput of two kernels on the emulated device's plain build, beside NumPy and PoCL."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.bench

ROUNDS = 40
GEMM = "gemm 256 x 256 x 256"
SOFTMAX = "softmax 256 x 2048"
MULTIPLY_ADDS = 256**3 / 1e6


@pytest.mark.benchmark(group="kernels, plain build")
@pytest.mark.parametrize(
    ("kernel", "title"), [("gemm_f32_tiled", GEMM), ("softmax", SOFTMAX)], ids=["gemm", "softmax"]
)
def test_scaling(benchmark: Any, children: Any, table: Any, kernel: str, title: str) -> None:
    one = children.emulated(kernel, workers=1)
    two = children.emulated(kernel, workers=2)
    least = min(_timed(benchmark, one.seconds))
    table.add(benchmark, f"{title}, one worker", least * 1e3, "ms")
    if kernel == "gemm_f32_tiled":
        table.add(benchmark, f"{title}, one worker", MULTIPLY_ADDS / least, "M multiply-adds/s")
    both = two.best(ROUNDS)
    table.add(benchmark, f"{title}, two workers", both * 1e3, "ms", least / both, "one worker")


@pytest.mark.benchmark(group="kernels, checked build")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "title"), [("gemm_f32_tiled", GEMM), ("softmax", SOFTMAX)], ids=["gemm", "softmax"]
)
def test_checked(
    benchmark: Any, children: Any, table: Any, kernel: str, title: str, workers: int
) -> None:
    plain = children.emulated(kernel, workers=workers)
    checked = children.emulated(kernel, workers=workers, build="checked")
    least = min(_timed(benchmark, checked.seconds))
    named = f"{title}, checked, workers: {workers}"
    table.add(benchmark, named, least * 1e3, "ms", least / plain.best(ROUNDS), "plain")


@pytest.mark.benchmark(group="kernels, checked build")
@pytest.mark.parametrize(
    ("kernel", "title"), [("gemm_f32_tiled", GEMM), ("softmax", SOFTMAX)], ids=["gemm", "softmax"]
)
def test_a_million_live_buffers(
    benchmark: Any, children: Any, table: Any, kernel: str, title: str
) -> None:
    alone = children.emulated(kernel, build="checked")
    among = children.emulated(kernel, build="checked", live=1_000_000)
    least = min(_timed(benchmark, among.seconds))
    named = f"{title}, checked, beside 1,000,000 live buffers"
    table.add(benchmark, named, least * 1e3, "ms", least / alone.best(ROUNDS), "alone")


@pytest.mark.benchmark(group="kernels, plain build")
@pytest.mark.parametrize(
    ("kernel", "title"), [("gemm_f32_tiled", GEMM), ("softmax", SOFTMAX)], ids=["gemm", "softmax"]
)
def test_against_pocl(benchmark: Any, children: Any, table: Any, kernel: str, title: str) -> None:
    theirs = children.pocl(kernel)
    ours = children.emulated(kernel)
    least = min(_timed(benchmark, theirs.seconds))
    speed = least / ours.best(ROUNDS)
    table.add(benchmark, f"{title}, PoCL on one core", least * 1e3, "ms", speed, "our speed")


@pytest.mark.benchmark(group="kernels, plain build")
@pytest.mark.parametrize(
    ("kernel", "products"), [("quantised_gemv", 1), ("quantised_gemm", 16), ("dequantise", 1)]
)
def test_quantised(benchmark: Any, children: Any, table: Any, kernel: str, products: int) -> None:
    child = children.emulated(kernel)
    least = min(_timed(benchmark, child.seconds, rounds=10))
    title = f"{kernel} Q4_K 4096 x 4096, one worker"
    table.add(benchmark, title, products * 4096**2 / 1e6 / least, "M elements/s")


@pytest.mark.benchmark(group="kernels, plain build")
def test_against_numpy(benchmark: Any, children: Any, table: Any) -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(0, 3, (256, 2048)).astype(np.float32)

    def softmax() -> float:
        start = time.perf_counter()
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        return time.perf_counter() - start

    least = min(_timed(benchmark, softmax))
    speed = least / children.emulated("softmax").best(ROUNDS)
    table.add(benchmark, f"{SOFTMAX}, NumPy", least * 1e3, "ms", speed, "our speed")


def _timed(benchmark: Any, run: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Benchmark *run*, which tells its own seconds; return them."""
    seconds: list[float] = []
    benchmark.pedantic(lambda: seconds.append(run()), rounds=rounds, warmup_rounds=1)
    return seconds
