"""A device that uses its freedoms: what it does to kernels, and how a property meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipaudit import families
from hipaudit.adversary import NATURAL, Adversary, adversaries, parse
from hipaudit.device import Device, bind
from hipaudit.errors import UsageError
from hipaudit.inputs import float32, tensors
from hipaudit.property import examine
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds
from hipaudit_runtime import modules, sources
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope

SOURCE = """
extern "C" __global__ void exponential(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = expf(x[i]);
}
extern "C" __global__ void by_c_name(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = __builtin_expf(x[i]);
}
extern "C" __global__ void product_and_sum(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * x[i] + y[i];
}
extern "C" __global__ void halved(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 0.5f * x[i];
}
extern "C" __global__ void atomic_sum(const float* x, float* y, int n) {
  if (threadIdx.x == 0) atomicAdd(y, x[blockIdx.x]);
}
extern "C" __global__ void arrival(unsigned* next, unsigned* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (threadIdx.x % warpSize == 0) y[i / warpSize] = atomicAdd(next, 1u);
}
"""


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    (tmp_path / "freedoms.hip").write_text(SOURCE, encoding="utf-8")
    bound = bind("emulated", "gfx942")
    with sources.folder(tmp_path):
        yield bound
    bound.with_adversary(NATURAL)


def launch(device: Device, name: str, x: Array, y: Array, blocks: int = 1) -> Array:
    """Run a kernel of x, y and their length, a block of 256, and return y."""
    with Scope() as scope:
        out = scope.upload(y)
        kernel = modules.kernel(device, "freedoms.hip", name)
        kernel.launch(blocks, 256, packed(scope.upload(x), out, x.size))
        return out.download()


X = np.linspace(-5, 5, 256, dtype=np.float32)


def steps(device: Device, adversary: Adversary, name: str = "exponential") -> Array:
    """How far an adversary moves each result, in units in the last place."""
    device.with_adversary(NATURAL)
    natural = launch(device, name, X, np.zeros_like(X))
    assert device.with_adversary(adversary)
    return launch(device, name, X, np.zeros_like(X)).view(np.int32) - natural.view(np.int32)


@pytest.mark.parametrize("name", ["exponential", "by_c_name"])
def test_results_move_by_the_documented_ulp(device: Device, name: str) -> None:
    assert set(steps(device, Adversary(shift="up"), name)) == {1}
    assert set(steps(device, Adversary(shift="down"), name)) == {-1}
    alternating = steps(device, Adversary(shift="alternating"), name)
    assert np.array_equal(alternating, np.where(np.arange(256) % 2 == 0, 1, -1))
    some = steps(device, Adversary(shift="random", seed=7), name)
    assert set(some) == {-1, 0, 1}
    assert not np.array_equal(some, steps(device, Adversary(shift="random", seed=8), name))


def test_contraction_is_the_devices_choice(device: Device) -> None:
    y = -(X * X)
    assert np.any(launch(device, "product_and_sum", X, y))
    device.with_adversary(Adversary(contract=False))
    assert not np.any(launch(device, "product_and_sum", X, y))


def test_subnormals_are_kept_or_flushed(device: Device) -> None:
    x = np.array([1e-40, -1e-40, 1.5e-38, 1.0], dtype=np.float32)
    assert np.array_equal(launch(device, "halved", x, np.zeros_like(x)), x / 2)
    device.with_adversary(Adversary(flush=True))
    assert np.array_equal(launch(device, "halved", x, np.zeros_like(x)), [0, 0, 0, 0.5])
    device.with_adversary(NATURAL)
    assert np.array_equal(launch(device, "halved", x, np.zeros_like(x)), x / 2)


def test_blocks_and_waves_come_in_another_order(device: Device) -> None:
    device.control.set("workers", "1")  # type: ignore[union-attr]
    zeros = np.zeros(32, dtype=np.uint32)
    try:
        natural = launch(device, "arrival", zeros[:1], zeros, blocks=8)
        device.with_adversary(Adversary(order=3))
        other = launch(device, "arrival", zeros[:1], zeros, blocks=8)
    finally:
        device.control.set("workers", "0")  # type: ignore[union-attr]
    assert np.array_equal(natural, np.arange(32))
    assert sorted(other) == list(range(32))
    assert not np.array_equal(other, natural)


def test_words_are_read_back() -> None:
    given = Adversary(shift="random", seed=9, contract=False, flush=True, order=4)
    assert parse(given.words, "4") == given
    assert parse("") == NATURAL
    with pytest.raises(UsageError, match="no adversary is called 'sideways'"):
        parse("up,sideways")
    assert str(given) == "random=9,uncontracted,flush,order_seed=4"


def test_the_device_refuses_words_that_it_does_not_know(device: Device) -> None:
    assert device.control is not None
    assert not device.control.set("adversarial", "sideways")
    assert not device.control.set("adversarial", "random=")


@settings(max_examples=200, database=None)
@given(drawn=adversaries())
def test_every_drawn_adversary_is_one_that_the_device_knows(drawn: Adversary) -> None:
    assert parse(drawn.words, str(drawn.order)) == drawn


UNIFORM = st.sampled_from([family for family in families.ALL if family.name == "uniform"])


def exponentials(bound: Any) -> Spec:
    """A kernel of expf alone, judged by a bound of the caller's."""
    return Spec(
        name="exponential",
        source="freedoms.hip",
        description="expf of 256 numbers.",
        inputs=st.fixed_dictionaries({"x": tensors(float32, (256,), UNIFORM)}),
        launch=lambda device, x: launch(device, "exponential", x, np.zeros_like(x)),
        reference=lambda x: np.exp(x.astype(np.float64)),
        bound=bound,
        examples=60,
    )


def test_a_bound_that_only_the_emulated_functions_keep_fails(device: Device) -> None:
    def tight(x: Array) -> Array:
        return bounds.EMULATED.exp * 2.0**-24 * np.exp(x.astype(np.float64)) + 2.0**-149

    done = examine(exponentials(tight), device)
    assert done.failure is not None
    assert done.failure.kind == "bound-exceeded"
    # Shrunk to one freedom, and that is named: in the message, the case and the verdict.
    assert done.verdict.adversary in {"up", "down", "alternating"}
    assert f"({done.verdict.adversary})" in done.failure.message
    assert f"device({done.verdict.adversary})" in done.failure.case
    assert done.failure.blob is not None
    again = examine(exponentials(tight), device, blob=done.failure.blob)
    assert again.verdict.adversary == done.verdict.adversary
    assert examine(exponentials(tight), device, adversarial=False).failure is None


def test_a_bound_from_the_documented_errors_holds(device: Device) -> None:
    def documented(x: Array) -> Array:
        return bounds.AMD.exp * 2.0**-24 * np.exp(x.astype(np.float64)) + 2.0**-147

    done = examine(exponentials(documented), device)
    assert done.failure is None
    assert done.verdict.status == "passed"
    assert 10 <= done.verdict.adversarial <= 50
    assert 0.4 < done.verdict.worst_ratio <= 1


def atomic_sums(*, deterministic: bool) -> Spec:
    """Sums of 64 numbers by atomic adds of as many blocks."""

    def run(device: Device, x: Array) -> Array:
        return launch(device, "atomic_sum", x, np.zeros(1, np.float32), blocks=64)

    return Spec(
        name="atomic_sum",
        source="freedoms.hip",
        description="A sum by atomic adds.",
        inputs=st.fixed_dictionaries({"x": tensors(float32, (64,), UNIFORM)}),
        launch=run,
        reference=lambda x: x.astype(np.float64).sum(keepdims=True),
        bound=lambda x: 64 * 2.0**-24 * np.abs(x).astype(np.float64).sum(keepdims=True),
        deterministic=deterministic,
        examples=100,
    )


def test_a_sum_whose_bits_hang_on_the_order_is_not_deterministic(device: Device) -> None:
    done = examine(atomic_sums(deterministic=True), device)
    assert done.failure is not None
    assert done.failure.kind == "nondeterminism"
    assert "in another order" in done.failure.message
    allowed = examine(atomic_sums(deterministic=False), device)
    assert allowed.failure is None
    assert allowed.verdict.repeated == 0


def test_what_is_deterministic_is_repeated_and_passes(device: Device) -> None:
    spec = exponentials(lambda x: 2.0**-21 * np.exp(x.astype(np.float64)) + 2.0**-140)
    assert examine(spec, device).verdict.repeated > 0
