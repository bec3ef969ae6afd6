"""Properties: what fails them, what they shrink to, and which passes are not earned."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.inputs import float32, lengths, matrices, tensors, well_scaled
from hipaudit.judge import Claim, Judge, PoorReference, VacuousBound, VoidRun, raise_unless_earned
from hipaudit.property import examine
from hipaudit.spec import Array, Case, Spec
from hipaudit_reference import bounds

# A device without a journal: launches are not counted, so plain NumPy may stand for a kernel.
DEVICE = Device("rocm", "gfx942", 64, "none")
U = 2.0**-24


def double(device: Device, x: Array) -> Array:
    assert device is DEVICE
    return np.asarray(x * np.float32(2.0))


def spec(launch: Callable[..., Any] = double, **changes: Any) -> Spec:
    values: dict[str, Any] = {
        "name": "double",
        "source": "double.hip",
        "description": "Twice x.",
        "inputs": st.fixed_dictionaries({"x": tensors(float32, (lengths(1, 100),), well_scaled())}),
        "launch": launch,
        "reference": lambda x: 2.0 * x.astype(np.float64),
        "bound": lambda x: np.abs(x.astype(np.float64)) * U,
        "examples": 30,
    }
    return Spec(**{**values, **changes})


def test_a_right_kernel_passes_and_its_statistics_are_kept() -> None:
    done = examine(spec(), DEVICE)
    assert done.failure is None
    verdict = done.verdict
    assert (verdict.status, verdict.survivors, verdict.launches) == ("passed", (), None)
    assert verdict.examples == 30
    assert verdict.elements > 30
    assert verdict.worst_ratio == 0.0
    assert len(done.points) == 30


def test_the_same_cases_run_every_time() -> None:
    drawn: list[bytes] = []

    def keeping(_: Device, x: Array) -> Array:
        drawn.append(x.tobytes())
        return np.asarray(x * np.float32(2.0))

    examine(spec(keeping), DEVICE)
    first = list(drawn)
    drawn.clear()
    examine(spec(keeping), DEVICE)
    assert drawn == first


def test_the_modules_that_are_loaded_change_no_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bytes] = []

    def keeping(_: Device, x: Array) -> Array:
        drawn.append(x.tobytes())
        return np.asarray(x * np.float32(2.0))

    examine(spec(keeping, examples=300), DEVICE)
    first = list(drawn)
    drawn.clear()
    (tmp_path / "loaded_since.py").write_text(f"NUMBERS = {list(range(1000, 1 << 20, 3001))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("loaded_since")
    examine(spec(keeping, examples=300), DEVICE)
    del sys.modules["loaded_since"]
    assert drawn == first


def forgets_the_tail(_: Device, x: Array) -> Array:
    """Stands for a kernel whose grid is one wave too small."""
    y = np.asarray(x * np.float32(2.0))
    y[64:] = 0.0
    return y


def test_a_planted_bug_is_found_and_shrunk_to_its_smallest_shape() -> None:
    done = examine(spec(forgets_the_tail), DEVICE, examples=200)
    assert done.verdict.status == "failed"
    assert done.failure is not None
    assert done.failure.kind == "bound-exceeded"
    assert "float32 65 " in done.failure.case
    assert "tensor(float32, (65,), 'uniform'" in done.failure.case
    assert done.failure.blob is not None


def test_a_token_runs_the_failing_input_again_and_only_it() -> None:
    done = examine(spec(forgets_the_tail), DEVICE, examples=200)
    assert done.failure is not None
    shapes: list[tuple[int, ...]] = []

    def watching(device: Device, x: Array) -> Array:
        shapes.append(x.shape)
        return forgets_the_tail(device, x)

    again = examine(spec(watching), DEVICE, blob=done.failure.blob)
    assert again.failure is not None
    assert again.failure.kind == done.failure.kind
    assert set(shapes) == {(65,)}


def test_a_fixed_case_that_fails_needs_no_token() -> None:
    case = {"x": np.ones(70, np.float32)}
    done = examine(spec(forgets_the_tail, cases=(case,)), DEVICE)
    assert done.failure is not None
    assert done.failure.blob is None
    assert done.verdict.mismatches[0].index == (64,)


def test_a_bound_that_judges_nothing_fails_a_right_kernel() -> None:
    loose = spec(bound=lambda x: np.full(x.shape, 1e30))
    done = examine(loose, DEVICE)
    assert done.verdict.status == "failed"
    assert done.failure is not None
    assert done.failure.kind == "bound-vacuous"
    assert set(done.verdict.survivors) == {"zeros", "sign flipped", "scaled by 1.01"}


def test_a_property_that_compares_nothing_is_void() -> None:
    empty = st.fixed_dictionaries({"x": tensors(float32, (0,))})
    done = examine(spec(inputs=empty), DEVICE)
    assert (done.verdict.status, done.failure) == ("void", None)
    assert done.verdict.void_because == "no element was compared"


def test_an_exact_spec_compares_bits() -> None:
    exact = spec(exact=True, bound=None, reference=lambda x: x * np.float32(2.0))
    assert examine(exact, DEVICE).verdict.status == "passed"
    off = spec(
        lambda _, x: np.nextafter(x * np.float32(2.0), np.float32(9)),
        exact=True,
        bound=None,
        reference=lambda x: x * np.float32(2.0),
    )
    failure = examine(off, DEVICE).failure
    assert failure is not None
    assert failure.kind == "conversion-inexact"


def test_the_reference_itself_is_held_against_mpmath() -> None:
    def spot(index: tuple[int, ...], x: Array) -> Any:
        return 2 * mpmath.mpf(float(x[index]))

    good = examine(spec(spot=spot), DEVICE)
    assert good.verdict.spots > 0
    careless = spec(spot=spot, reference=lambda x: 2.0 * x.astype(np.float64) * (1 + U / 4))
    with pytest.raises(PoorReference, match="more than a hundredth of its bound"):
        examine(careless, DEVICE)


def test_what_a_launcher_raises_is_not_swallowed() -> None:
    def broken(_: Device, x: Array) -> Array:
        raise ValueError(f"no such shape: {x.shape}")

    with pytest.raises(ValueError, match="no such shape"):
        examine(spec(broken), DEVICE)


def test_a_test_that_returns_nothing_is_told_so() -> None:
    judge = Judge(Claim.of(spec()), DEVICE)
    with pytest.raises(UsageError, match="returned nothing"):
        judge.run(lambda: None, Case({"x": np.ones(1, np.float32)}))


def test_only_an_earned_pass_passes() -> None:
    judge = Judge(Claim.of(spec()), DEVICE)
    with pytest.raises(VoidRun, match="no example ran"):
        raise_unless_earned(judge.finish())
    ones = np.zeros(3, np.float32)
    judge.run(lambda: ones, Case({"x": np.zeros(3, np.float32)}))
    with pytest.raises(VacuousBound, match="zeros"):
        raise_unless_earned(judge.finish())


@pytest.mark.parametrize("changes", [{"exact": True}, {"bound": None}])
def test_a_spec_has_a_bound_or_is_exact(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give exact=True or a bound"):
        spec(**changes)


def test_an_exact_claim_spends_no_examples_on_a_climb() -> None:
    """Every error is 0 there: Hypothesis would spend half of the examples near the first."""
    drawn: set[bytes] = set()

    def keeping(_: Device, x: Array) -> Array:
        drawn.add(x.tobytes())
        return x

    exact = spec(keeping, reference=lambda x: x, bound=None, exact=True, examples=100)
    assert examine(exact, DEVICE).failure is None
    assert len(drawn) >= 88


def _normed(x: Array, variance: Array) -> Array:
    mean = x.mean(axis=-1, keepdims=True, dtype=np.float32)
    return np.asarray((x - mean) / np.sqrt(variance + np.float32(1e-5)))


def _one_pass(_: Device, x: Array) -> Array:
    mean = x.mean(axis=-1, keepdims=True, dtype=np.float32)
    second = (x * x).mean(axis=-1, keepdims=True, dtype=np.float32)
    return _normed(x, np.maximum(second - mean * mean, np.float32(0)))


def _two_passes(_: Device, x: Array) -> Array:
    mean = x.mean(axis=-1, keepdims=True, dtype=np.float32)
    return _normed(x, ((x - mean) ** 2).mean(axis=-1, keepdims=True, dtype=np.float32))


@pytest.mark.parametrize(
    ("launch", "kind"), [(_one_pass, "bound-exceeded"), (_two_passes, None)], ids=["one", "two"]
)
def test_well_scaled_rows_tell_a_variance_that_cancels(
    launch: Callable[..., Array], kind: str | None
) -> None:
    """By the inputs that are drawn and the bound of any order alone: no case is made for it."""
    norm = spec(
        launch,
        inputs=st.fixed_dictionaries({"x": matrices(float32, elements=well_scaled())}),
        reference=ref.layer_norm,
        bound=bounds.layer_norm,
        examples=100,
    )
    failure = examine(norm, DEVICE).failure
    assert (failure.kind if failure else None) == kind
