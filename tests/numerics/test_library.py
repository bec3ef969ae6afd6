"""The library's specs: the same ones that ``hipaudit audit`` runs."""

from __future__ import annotations

import pytest

from hipaudit.device import Device
from hipaudit.library import SPECS
from hipaudit.numerics import run_spec
from hipaudit.spec import Spec


@pytest.mark.numerics
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_library_kernel_stays_within_its_bound(device: Device, spec: Spec) -> None:
    run_spec(spec, device)
