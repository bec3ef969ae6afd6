"""What must not matter: how many workers there are, the order of blocks, the size of a block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hipaudit.adversary import NATURAL, Adversary
from hipaudit.compare import compare
from hipaudit.device import Device
from hipaudit.library import SPECS
from hipaudit.spec import Array, Inputs, Spec, as_outputs
from hipaudit_runtime.ops import rowwise

pytestmark = pytest.mark.numerics

BY_NAME = {spec.name: spec for spec in SPECS}
DETERMINISTIC = [spec for spec in SPECS if spec.deterministic]
BY_ROWS = ("softmax", "rms_norm", "layer_norm", "sum_tree", "row_max", "prefix_sum")
FEW = 2


@pytest.fixture
def restored(part: Device) -> Iterator[Device]:
    """The device, which is as it was afterwards."""
    if part.control is None:
        pytest.skip("needs the emulated device: a real one's schedule cannot be set")
    yield part
    part.with_adversary(NATURAL)
    part.control.set("workers", "0")


def run(spec: Spec, device: Device, inputs: Inputs) -> tuple[Array, ...]:
    """The outputs of one launch."""
    return as_outputs(spec.launch(device, **inputs), who=spec.name)


@pytest.mark.parametrize("spec", DETERMINISTIC, ids=lambda spec: spec.name)
def test_the_schedule_does_not_show(restored: Device, spec: Spec) -> None:
    assert restored.control is not None
    for inputs in sorted(spec.cases, key=_size)[-FEW:]:
        restored.control.set("workers", "1")
        first = run(spec, restored, inputs)
        for workers, order in (("1", 0), ("2", 0), ("1", 7), ("3", 11)):
            restored.control.set("workers", workers)
            restored.with_adversary(Adversary(order=order))
            again = run(spec, restored, inputs)
            assert not compare(again, first, None).mismatches, (workers, order)
        restored.with_adversary(NATURAL)


def _size(inputs: Inputs) -> int:
    """How large an input is; those of a million elements are left to others."""
    elements = sum(np.size(value) for value in inputs.values())
    return elements if elements < 1 << 18 else 0


@pytest.mark.parametrize("block", [64, 128, 512, 1024])
@pytest.mark.parametrize("name", BY_ROWS)
def test_the_size_of_a_block_does_not_matter(
    part: Device, name: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowwise, "block_for", lambda _: block)
    spec = BY_NAME[name]
    for inputs in sorted(spec.cases, key=_size)[-FEW:]:
        expected = as_outputs(spec.reference(**inputs), who=name)
        # The bound is that of the summation tree which so many threads make.
        limits = None if spec.bound is None else as_outputs(spec.bound(**inputs), who=name)
        assert not compare(run(spec, part, inputs), expected, limits).mismatches
