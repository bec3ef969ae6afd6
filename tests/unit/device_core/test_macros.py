"""Macros that a program's own -O option decides."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit_runtime import modules, sources
from hipaudit_runtime.tensors import Scope

TEXT = """
extern "C" __global__ void optimised(int* out) {
#ifdef __OPTIMIZE__
  *out = 1;
#else
  *out = 0;
#endif
}
"""


@pytest.mark.parametrize(("options", "expected"), [((), 1), (("-O3",), 1), (("-O0",), 0)])
def test_optimize_is_defined_as_the_compiler_defines_it(
    device: Device, tmp_path: Path, options: tuple[str, ...], expected: int
) -> None:
    (tmp_path / "optimised.hip").write_text(TEXT)
    with sources.folder(tmp_path), Scope() as scope:
        kernel = modules.kernel(device, "optimised.hip", "optimised", options)
        out = scope.upload(np.array([7], np.int32))
        kernel.launch(1, 1, (ctypes.c_void_p(out.address),))
        assert out.download().tolist() == [expected]
