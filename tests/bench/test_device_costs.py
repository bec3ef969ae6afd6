"""What the emulated device costs beside the kernel: compiling, launching, switching threads."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="device")]

ROUNDS = 12
LAUNCHES = 1000
WAITS = 200 * 256


@pytest.mark.parametrize(
    ("work", "title", "unit", "per_second"),
    [
        ("launch", "launch of an empty kernel, hip-python included", "us", LAUNCHES / 1e6),
        ("barriers", "a thread's wait at a barrier of 256", "ns", WAITS / 1e9),
        ("shuffles", "a thread's shuffle in a block of 256", "ns", WAITS / 1e9),
        ("compile", "kernel source to entry point, cold", "ms", 1e-3),
    ],
    ids=["launch", "barriers", "shuffles", "compile"],
)
def test_cost(
    benchmark: Any,
    children: Any,
    table: Any,
    work: str,
    title: str,
    unit: str,
    per_second: float,
) -> None:
    child = children.emulated(work)
    seconds: list[float] = []
    benchmark.pedantic(lambda: seconds.append(child.seconds()), rounds=ROUNDS, warmup_rounds=1)
    table.add(benchmark, title, min(seconds) / per_second, unit)


def test_cost_of_a_cached_kernel(benchmark: Any, children: Any, table: Any) -> None:
    children.emulated("load").seconds()  # now it is in the cache
    seconds: list[float] = []

    def first_of_a_process() -> None:
        seconds.append(children.emulated("load").seconds())

    benchmark.pedantic(first_of_a_process, rounds=5)
    table.add(benchmark, "kernel source to entry point, cached", min(seconds) * 1e3, "ms")
