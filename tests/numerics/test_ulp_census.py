"""The errors of the device's float functions over all arguments, against the committed tables."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from hipaudit.adversary import Adversary
from hipaudit.audits.ulp_census import (
    EDGES,
    FUNCTIONS,
    CensusError,
    census,
    exact,
    exact_ulp,
    table,
)
from hipaudit.device import Device, bind
from hipaudit.errors import UsageError

EMULATED = "emulated, natural"
PRIME = 16411  # every so-manyth argument: all exponents, all low bits


@pytest.fixture
def emulated() -> Device:
    """The emulated device; its functions are the same on every part."""
    return bind("emulated")


def test_every_function_has_its_table() -> None:
    tables = table()[EMULATED]
    assert set(tables) == set(FUNCTIONS)
    for name, row in tables.items():
        assert row["arguments"] == 2**32, name
        assert sum(row["bins"]) + row["wrong"] == 2**32, name
        assert row["wrong"] == 0, name
        assert row["worst"] <= 0.501, name


@pytest.mark.numerics
@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_share_of_all_arguments_agrees_with_the_table(emulated: Device, function: str) -> None:
    found = census(function, emulated, step=PRIME)
    row = table()[EMULATED][function]
    assert sum(found.bins) == found.arguments
    assert found.wrong == 0
    assert found.worst <= row["worst"]
    assert found.reference < 2.0**-50


@pytest.mark.exhaustive
@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_all_arguments_agree_with_the_table(emulated: Device, function: str) -> None:
    found = census(function, emulated)
    row = table()[EMULATED][function]
    assert list(found.bins) == row["bins"]
    assert (found.wrong, found.worst) == (row["wrong"], row["worst"])


@pytest.mark.numerics
def test_an_adversary_stays_within_what_amd_documents(emulated: Device) -> None:
    moved = census("exp", emulated, step=PRIME, adversary=Adversary(shift="up"))
    natural = census("exp", emulated, step=PRIME)
    assert natural.bins[0] > 0.99 * natural.arguments
    # One ULP of the result; below a power of two that is two of the exact value's.
    assert 1.4 < moved.worst <= 2.501
    assert moved.bins[0] < natural.bins[0] - 0.3 * natural.arguments
    assert moved.wrong == 0


def test_errors_are_counted_in_ulp_of_the_exact_result() -> None:
    one = int(np.float32(0.0).view(np.uint32))
    assert exact_ulp("exp", one, 1.0) == 0
    assert exact_ulp("exp", one, 1 + 2.0**-23) == 1
    assert exact_ulp("exp", one, 1 - 2.0**-24) == 0.5
    subnormal = int(np.float32(-103.0).view(np.uint32))
    value = float(mpmath.exp(-103))
    assert exact_ulp("exp", subnormal, 0.0) == pytest.approx(value / 2.0**-149)
    assert len(EDGES) == 12


def test_what_has_no_value_is_not_decided(emulated: Device) -> None:
    assert exact("log", int(np.float32(-1.0).view(np.uint32))) is None
    with pytest.raises(CensusError, match="no exact value"):
        exact_ulp("rsqrt", 0, 1.0)
    with pytest.raises(UsageError, match="no census of 'gamma'"):
        census("gamma", emulated)
