"""The types in one kernel on the device: shared memory, shuffles, atomics, the math library."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from hipaudit_runtime import modules, sources
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.hip import call, hip

PROBE = Path(__file__).parent / "probes" / "types.hip"


@pytest.mark.parametrize("device", ["gfx942", "gfx1100"], indirect=True, scope="session")
def test_the_types_in_a_kernel(device: Any) -> None:
    module = modules.load_module(modules.compile_source(sources.read(PROBE), device.arch))
    values = np.random.default_rng(26).uniform(-4, 4, 64).astype(np.float32)
    with HipBuffer(256) as source, HipBuffer(64 * 8 * 4) as out, HipBuffer(8) as totals:
        source.upload(values)
        totals.upload(np.zeros(8, dtype=np.uint8))
        addresses = (source.address, out.address, totals.address, totals.address + 4)
        arguments = tuple(ctypes.c_void_p(address) for address in addresses)
        modules.entry_point(module, "mixture").launch(1, 64, arguments)
        call(hip.hipDeviceSynchronize)
        got = out.download((64, 8), np.float32)
        half_total = totals.download((2,), np.float16)
        bfloat_total = totals.download((2,), np.uint16, offset=4).view(ml_dtypes.bfloat16)
    half = values.astype(np.float16)
    bfloat = values.astype(ml_dtypes.bfloat16).astype(np.float32)
    self = np.arange(64)
    exact = [
        half[::-1],
        bfloat[::-1],
        values[::-1].astype(ml_dtypes.float8_e4m3fn),
        3 * values[::-1].astype(np.float64),
        half[self ^ 1],
        bfloat[self ^ 2],
        np.sin(half.astype(np.float64)).astype(np.float16),
    ]
    for column, expected in enumerate(exact):
        assert np.array_equal(got[:, column], expected.astype(np.float32)), column
    power = (10 ** half.astype(np.float64)).astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(got[:, 7], power, rtol=2.0**-10)
    assert list(half_total) == [64, 128]
    assert [float(total) for total in bfloat_total] == [128, 64]
