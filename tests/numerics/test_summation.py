"""How the library's kernels sum, as found out from outside, is what their bounds rest on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hipaudit.audits.summation import PROBED, Revealed, revealed, summation, tree_of
from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.spec import Array, Spec, Sums

pytestmark = pytest.mark.numerics

BY_NAME = {spec.name: spec for spec in SPECS}
SUMMING = [spec for spec in SPECS if spec.sums is not None]

# Exponents of n in the growth of the error: a random walk of roundings, or next to nothing.
SERIAL, SHORT = (0.35, 0.6), (-0.1, 0.2)
GROWTH = {"sum_serial": SERIAL, "gemm_f32_tiled": SERIAL}


@pytest.mark.parametrize("spec", SUMMING, ids=lambda spec: spec.name)
def test_the_revealed_tree_is_no_higher_than_the_bound_assumes(part: Device, spec: Spec) -> None:
    assert spec.sums is not None
    for terms in PROBED:
        found = revealed(spec.sums, part, terms)
        if spec.sums.height is None:
            assert found.height is None
        else:
            assert found.height is not None
            assert found.claimed is not None
            assert (terms - 1).bit_length() <= found.height <= found.claimed


@pytest.mark.parametrize("spec", SUMMING, ids=lambda spec: spec.name)
def test_the_error_grows_as_the_tree_says(part: Device, spec: Spec) -> None:
    low, high = GROWTH.get(spec.name, SHORT)
    found = summation(spec, part)
    assert low <= found.fit.exponent <= high
    assert found.sentence.endswith(f"({found.fit.law})")


def test_a_serial_sum_is_a_chain_in_order(part: Device) -> None:
    sums = BY_NAME["sum_serial"].sums
    assert sums is not None
    tree = tree_of(sums, part, 40)
    assert tree is not None
    assert (tree.terms, tree.height) == (40, 39)
    joined = []
    while tree.children:
        tree, leaf = sorted(tree.children, key=lambda child: -child.terms)
        joined.append(leaf.index)
    # The first addition is that of two leaves.
    assert [*joined[:-1], *sorted((joined[-1], tree.index), reverse=True)] == [*range(39, -1, -1)]


def test_the_tree_is_that_of_the_wave(part: Device) -> None:
    sums = BY_NAME["sum_tree"].sums
    assert sums is not None
    # 64 threads: one wave of 64 lanes, or two of 32 joined by one more addition; as high.
    assert revealed(sums, part, 64) == Revealed(64, 6, 7)


def test_a_bound_that_assumes_too_low_a_tree_is_noticed(part: Device) -> None:
    serial = BY_NAME["sum_serial"]
    assert serial.sums is not None
    wrong = Sums(serial.sums.launch, lambda terms: (terms - 1).bit_length())
    found = revealed(wrong, part, 65)
    assert found == Revealed(65, 64, 7)


def test_what_is_no_sum_has_no_tree(part: Device) -> None:
    def twice_the_first(_: Device, terms: Array) -> Array:
        return np.asarray(2 * terms[:, 0])

    assert tree_of(Sums(twice_the_first, None), part, 5) is None
    with pytest.raises(UsageError, match="add is no sum of terms"):
        summation(replace(BY_NAME["add"], sums=None), part)
