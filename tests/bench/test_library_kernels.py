"""Cost of the library's kernels on the emulated device: per step, against NumPy, against size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = pytest.mark.bench

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kernel is measured at.

    size    of `kernel_child`, and it is measured at twice that
    steps   multiply-adds or elements at twice the size
    growth  of the work, from the size to twice it
    """

    kernel: str
    size: int
    steps: int
    growth: int = 2


WIDTH, HIDDEN, HEADS, KEY_HEADS, HEAD = 576, 1536, 9, 3, 64

COSTS = (
    Cost("gemv", 4096, 8192 * WIDTH),
    Cost("gemm", 64, 128 * WIDTH * HIDDEN),
    Cost(
        "flash_attention", 256, HEADS * HEAD * 512 * 513, growth=4
    ),  # causal: half of each product
    Cost("paged_attention", 2048, 2 * HEADS * HEAD * 4096),
    Cost("mla_attention", 1024, 16 * 2048 * (WIDTH + 512)),
    Cost("kv_append", 512, 2 * 1024 * KEY_HEADS * HEAD),
    Cost("softmax_masked", 2048, 64 * 4096),
    Cost("rms_norm", 512, 1024 * WIDTH),
    Cost("swiglu", 1 << 19, 1 << 20),
    Cost("convert", 1 << 19, 1 << 20),
    Cost("transpose", 512, 1024 * WIDTH),
    Cost("permute_axes", 512, 1024 * WIDTH),
    Cost("prefix_sum_long", 1 << 19, 1 << 20),
    Cost("keep_top_p", 1 << 15, 1 << 16),
    Cost("multinomial", 1 << 18, 1 << 19),
    Cost("keep_top_k", 1 << 15, 1 << 16),
    Cost("temperature", 1 << 19, 1 << 20),
    Cost("glu", 1 << 19, 1 << 20),
    Cost("sum_long", 1 << 19, 1 << 20),
    Cost("keep_min_p", 1 << 15, 1 << 16),
    Cost("repetition_penalty", 1 << 19, 1 << 20),
    Cost("renormalise", 1 << 18, 1 << 19),
    Cost("argmax", 1 << 16, 8 << 17),
    Cost("quantised_embedding", 512, 1024 * WIDTH),
    Cost("moe_router", 128, 256 * 64),
    Cost("moe_permute", 1 << 13, 8 << 14),
    Cost("moe_combine", 256, 512 * 8 * WIDTH),
    Cost("quantised_grouped_gemm", 128, 256 * WIDTH * 256),
    Cost("grouped_gemm", 128, 256 * WIDTH * 256),
    Cost("log_mel", 100, 200 * 80 * 201),
    Cost("conv1d_depthwise", 1024, 2048 * 144 * 31),
    Cost("conv1d_pointwise", 256, 512 * 144 * 288),
    Cost("relative_attention", 128, 4 * 256 * 256 * 36 * 3, growth=4),
)


@pytest.mark.benchmark(group="library kernels, plain build")
@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.kernel)
def test_cost_grows_with_the_work(benchmark: Any, children: Any, table: Any, cost: Cost) -> None:
    larger = children.kernel(cost.kernel, 2 * cost.size, "kernel")
    seconds: list[float] = []
    benchmark.pedantic(lambda: seconds.append(larger.seconds()), rounds=ROUNDS, warmup_rounds=1)
    least = min(seconds)
    theirs = children.kernel(cost.kernel, 2 * cost.size, "numpy").best(ROUNDS)
    title = f"{cost.kernel} {2 * cost.size}, one worker"
    table.add(benchmark, title, cost.steps / least / 1e6, "M steps/s", theirs / least, "NumPy")
    growth = least / children.kernel(cost.kernel, cost.size, "kernel").best(ROUNDS)
    twice = f"{cost.kernel}, cost of twice the size"
    table.add(benchmark, twice, growth, "x", growth / cost.growth, "the work's")
