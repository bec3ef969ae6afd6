"""Sources become kernels once; what goes wrong on the way says where."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import numpy as np
import pytest

import hipaudit_runtime
from hipaudit.device import Device
from hipaudit_runtime import modules, ops, sources
from hipaudit_runtime.device import current_device
from hipaudit_runtime.errors import HipError, KernelCompileError, KernelNotFoundError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.tensors import Scope

pytestmark = pytest.mark.runtime

FILL = """\
#include <hip/hip_runtime.h>
#include "value.h"
extern "C" __global__ void fill(int* y) { y[threadIdx.x] = VALUE; }
"""


@pytest.fixture
def fill(tmp_path: Path) -> Path:
    """A folder with a kernel that includes a header."""
    (tmp_path / "fill.hip").write_text(FILL)
    (tmp_path / "value.h").write_text("#define VALUE 7\n")
    return tmp_path


def run_fill(device: Device, folder: Path) -> list[int]:
    """What the kernel of `fill` writes."""
    with Scope() as scope, sources.folder(folder):
        result = scope.empty((3,), np.int32)
        kernel = modules.kernel(device, "fill.hip", "fill")
        kernel.launch(1, 3, (ctypes.c_void_p(result.address),))
        values: list[int] = result.download().tolist()
        return values


def test_a_header_beside_the_kernel_is_found(device: Device, fill: Path) -> None:
    assert run_fill(device, fill) == [7, 7, 7]


def test_a_changed_source_is_compiled_anew(device: Device, fill: Path) -> None:
    assert run_fill(device, fill) == [7, 7, 7]
    (fill / "fill.hip").write_text(FILL.replace("VALUE;", "VALUE + 1;"))
    assert run_fill(device, fill) == [8, 8, 8]


def test_a_changed_header_is_compiled_anew(device: Device, fill: Path) -> None:
    assert run_fill(device, fill) == [7, 7, 7]
    (fill / "value.h").write_text("#define VALUE 123456\n")
    assert run_fill(device, fill) == [123456] * 3


def test_a_kernel_is_loaded_once(device: Device) -> None:
    first = modules.kernel(device, "softmax.hip", "softmax")
    assert modules.kernel(device, "softmax.hip", "softmax") is first


def test_each_part_has_its_own_kernel(device: Device) -> None:
    if device.choice == "rocm":
        pytest.skip("a real device is one part")
    x = np.ones((2, 8), np.float32)
    try:
        for arch in ("gfx1100", "gfx942", "gfx1100"):
            part = device.with_arch(arch)
            assert np.all(ops.softmax(part, x) == np.float32(0.125))
            assert modules.kernel(part, "softmax.hip", "softmax") is modules.kernel(
                part, "softmax.hip", "softmax"
            )
    finally:
        device.with_arch(device.arch)


def test_a_compile_error_has_file_and_line(device: Device, fill: Path) -> None:
    (fill / "fill.hip").write_text(FILL.replace("VALUE;", "MISSING;"))
    with pytest.raises(KernelCompileError, match=r"fill\.hip:3:.*MISSING"):
        run_fill(device, fill)


def test_a_missing_entry_point_is_named(device: Device, fill: Path) -> None:
    with sources.folder(fill), pytest.raises(KernelNotFoundError, match="no kernel fil "):
        modules.kernel(device, "fill.hip", "fil")


def test_a_missing_file_is_named(device: Device) -> None:
    with pytest.raises(KernelNotFoundError, match=r"no absent\.hip in "):
        modules.kernel(device, "absent.hip", "absent")


def test_a_launch_beyond_the_limits_is_an_error(device: Device) -> None:
    kernel = modules.kernel(device, "softmax.hip", "softmax")
    with Scope() as scope:
        x = scope.upload(np.zeros(8, np.float32))
        pointer = ctypes.c_void_p(x.address)
        with pytest.raises(HipError, match=r"hipModuleLaunchKernel failed with .*softmax, grid"):
            kernel.launch(1, 2048, (pointer, pointer, ctypes.c_int(8)))


@pytest.mark.usefixtures("device")
def test_an_error_names_call_status_and_detail() -> None:
    with pytest.raises(HipError, match=r"hipMalloc failed with hipErrorOutOfMemory \(2\)") as info:
        call(hip.hipMalloc, 1 << 60, detail="too much")
    assert (info.value.call, info.value.code) == ("hipMalloc", 2)
    assert str(info.value).endswith(": too much")


def test_the_current_device_describes_itself(device: Device) -> None:
    found = current_device()
    assert (found.ordinal, found.arch, found.wave_size) == (0, device.arch, device.wave_size)


def test_a_checkout_has_kernels_at_its_top() -> None:
    assert sources.kernels_folder() == Path(__file__).parents[2] / "kernels"
    assert sources.locate("softmax.hip").is_file()


def test_an_installed_copy_has_kernels_in_the_package(tmp_path: Path) -> None:
    """As a wheel lays them out: the packages side by side, the kernels as hipaudit's data."""
    runtime = Path(hipaudit_runtime.__file__).parent
    copytree(runtime, tmp_path / "hipaudit_runtime", ignore=ignore_patterns("__pycache__"))
    copytree(sources.kernels_folder(), tmp_path / "hipaudit" / "kernels")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from hipaudit_runtime import sources; print(sources.locate('include/block_reduce.h'))"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    expected = tmp_path / "hipaudit" / "kernels" / "include" / "block_reduce.h"
    assert Path(answer.stdout.strip()) == expected
