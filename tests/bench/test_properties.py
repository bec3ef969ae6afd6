"""What a property costs: examples a second, the harness's own share of one, the largest reference.

On the plain build and one worker, natural and adversarial examples as they come. Seconds are the
process's, those of its worker included: what one core needs, whoever else is on the machine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.device import Device, bind
from hipaudit.inputs import float32, lengths, matrices, tensors
from hipaudit.library import SPECS
from hipaudit.property import examine
from hipaudit.spec import Outputs, Spec
from hipaudit_reference import bounds

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="properties")]

EXAMPLES = 300
ROUNDS = 7
BY_NAME = {spec.name: spec for spec in SPECS}
SMALL = {
    "add": st.fixed_dictionaries({"a": tensors(float32, (64,)), "b": tensors(float32, (64,))}),
    "softmax": st.fixed_dictionaries(
        {"x": matrices(float32, rows=lengths(1, 4), columns=lengths(1, 64))}
    ),
}


@dataclass(slots=True)
class Timed:
    """A spec whose launches are timed apart."""

    spec: Spec
    launching: float = 0.0

    def launch(self, device: Any, **inputs: Any) -> Outputs:
        """Launch, and count the seconds."""
        start = time.process_time()
        outputs = self.spec.launch(device, **inputs)
        self.launching += time.process_time() - start
        return outputs


@pytest.fixture
def device() -> Device:
    """The emulated device on one worker."""
    bound = bind("emulated", "gfx942")
    assert bound.control is not None
    bound.control.set("workers", "1")
    return bound


@pytest.mark.parametrize("name", sorted(SMALL))
def test_examples_a_second(benchmark: Any, table: Any, device: Device, name: str) -> None:
    timed = Timed(BY_NAME[name])
    spec = replace(timed.spec, cases=(), inputs=SMALL[name], launch=timed.launch)
    seconds: list[tuple[float, float]] = []

    def run() -> None:
        timed.launching, start = 0.0, time.process_time()
        done = examine(spec, device, examples=EXAMPLES)
        assert done.failure is None
        seconds.append((time.process_time() - start, timed.launching))

    benchmark.pedantic(run, rounds=ROUNDS, warmup_rounds=1)
    total, launching = sorted(seconds)[len(seconds) // 2]
    table.add(benchmark, f"property of {name}, small", EXAMPLES / total, "examples/s")
    own = (total - launching) / EXAMPLES * 1e3
    table.add(benchmark, f"property of {name}, all but its launches", own, "ms an example")


def test_reference_of_a_large_product(benchmark: Any, table: Any) -> None:
    generator = np.random.default_rng(1)
    a, b = (generator.normal(size=(1024, 1024)).astype(np.float32) for _ in range(2))
    seconds: list[float] = []

    def run() -> None:
        start = time.process_time()
        assert ref.gemm(a, b).shape == bounds.gemm(a, b).shape
        seconds.append(time.process_time() - start)

    benchmark.pedantic(run, rounds=ROUNDS, warmup_rounds=1)
    median = sorted(seconds)[len(seconds) // 2]
    table.add(benchmark, "reference and bound of gemm 1024 x 1024 x 1024", median, "s")
