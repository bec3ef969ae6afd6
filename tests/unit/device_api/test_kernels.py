"""Kernels and the device's memory: stores beside a buffer, freed arguments, variables, streams."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hipaudit import hipcalls

if TYPE_CHECKING:
    from .conftest import Emulated, Finding

SOURCE = r"""
#include <hip/hip_runtime.h>

__device__ int table[4] = {1, 2, 3, 4};

extern "C" __global__ void store(float* out, int at, float value) { out[at] = value; }

extern "C" __global__ void gather(int* out) { out[threadIdx.x] = table[threadIdx.x]; }
"""

pointer, size_t = ctypes.c_void_p, ctypes.c_size_t
COUNT = 100  # floats in a buffer


@pytest.fixture(scope="module")
def module(emulated: Emulated) -> int:
    """A loaded module with the kernels above."""
    rtc = hipcalls.hiprtc()
    source = SOURCE.encode()
    program = hipcalls.call(rtc.hiprtcCreateProgram, source, b"kernels.hip", 0, None, None)
    hipcalls.call(rtc.hiprtcCompileProgram, program, 0, None)
    code = bytearray(hipcalls.call(rtc.hiprtcGetCodeSize, program))
    hipcalls.call(rtc.hiprtcGetCode, program, code)
    loaded = pointer()
    image = (ctypes.c_char * len(code)).from_buffer(code)
    assert emulated.library.hipModuleLoadData(ctypes.byref(loaded), image) == 0
    assert loaded.value is not None
    return loaded.value


def launch(
    emulated: Emulated,
    module: int,
    name: str,
    *arguments: Any,
    threads: int = 1,
    stream: int = 0,
) -> int:
    function = pointer()
    found = emulated.library.hipModuleGetFunction(
        ctypes.byref(function), pointer(module), name.encode()
    )
    assert found == 0
    addresses = [ctypes.cast(ctypes.byref(argument), pointer) for argument in arguments]
    parameters = (pointer * len(addresses))(*addresses)
    status: int = emulated.library.hipModuleLaunchKernel(
        function, 1, 1, 1, threads, 1, 1, 0, pointer(stream), parameters, None
    )
    return status


def store_at(emulated: Emulated, module: int, address: int, index: int) -> int:
    arguments = pointer(address), ctypes.c_int(index), ctypes.c_float(1.5)
    return launch(emulated, module, "store", *arguments)


@pytest.fixture
def buffer(emulated: Emulated) -> int:
    return emulated.malloc(4 * COUNT)


def only(findings: Callable[[], list[Finding]]) -> Finding:
    found = findings()
    assert len(found) == 1, found
    return found[0]


def test_a_store_inside_is_no_finding(
    emulated: Emulated, module: int, buffer: int, findings: Callable[[], list[Finding]]
) -> None:
    assert store_at(emulated, module, buffer, COUNT - 1) == 0
    assert ctypes.string_at(buffer + 4 * COUNT - 4, 4) == np.float32(1.5).tobytes()
    assert emulated.free(buffer) == 0
    assert findings() == []


@pytest.mark.parametrize(("index", "offset"), [(COUNT, 4 * COUNT), (-1, -4)])
def test_a_store_beside_a_buffer_names_the_kernel(
    emulated: Emulated,
    module: int,
    buffer: int,
    findings: Callable[[], list[Finding]],
    index: int,
    offset: int,
) -> None:
    assert store_at(emulated, module, buffer, index) == 0
    finding = only(findings)
    assert finding["kind"] == "canary-overwritten"
    assert finding["kernel"] == "store"
    assert finding["bytes"] == 4
    assert finding["allocation"]["address"] == buffer
    assert finding["allocation"]["offset"] == offset
    assert emulated.free(buffer) == 0
    assert len(findings()) == 1, "said twice"


def test_a_store_into_the_guard_ends_the_launch_and_not_the_process(
    emulated: Emulated, module: int, buffer: int, findings: Callable[[], list[Finding]]
) -> None:
    assert store_at(emulated, module, buffer, 10_000) != 0
    finding = only(findings)
    assert finding["kernel"] == "store"
    assert finding["allocation"]["address"] == buffer
    assert store_at(emulated, module, buffer, 0) == 0
    assert emulated.free(buffer) == 0


def test_a_freed_argument_is_refused(
    emulated: Emulated, module: int, buffer: int, findings: Callable[[], list[Finding]]
) -> None:
    emulated.free(buffer)
    assert store_at(emulated, module, buffer, 0) != 0
    assert only(findings)["kind"] == "use-after-free"


@pytest.mark.usefixtures("no_findings")
def test_variables_of_a_module_can_be_copied(emulated: Emulated, module: int, buffer: int) -> None:
    library = emulated.library
    address, size = pointer(), size_t()
    found = library.hipModuleGetGlobal(
        ctypes.byref(address), ctypes.byref(size), pointer(module), b"table"
    )
    assert (found, size.value) == (0, 16)
    fresh = np.array([5, 6, 7, 8], np.int32)
    assert library.hipMemcpyHtoD(address, pointer(fresh.ctypes.data), size_t(16)) == 0
    assert launch(emulated, module, "gather", pointer(buffer), threads=4) == 0
    got = np.zeros(4, np.int32)
    assert library.hipMemcpyDtoH(pointer(got.ctypes.data), pointer(buffer), size_t(16)) == 0
    assert np.array_equal(got, fresh)
    emulated.free(buffer)


def test_a_copy_past_a_variable_is_refused(
    emulated: Emulated, module: int, findings: Callable[[], list[Finding]]
) -> None:
    library = emulated.library
    address, size = pointer(), size_t()
    library.hipModuleGetGlobal(ctypes.byref(address), ctypes.byref(size), pointer(module), b"table")
    own = np.zeros(8, np.int32)
    assert library.hipMemcpyHtoD(address, pointer(own.ctypes.data), size_t(20)) == 1
    finding = only(findings)
    assert finding["kind"] == "copy-out-of-bounds"
    assert "the variable table (16 bytes): 4 too many" in finding["message"]


@pytest.mark.memory(provokes=["use-after-free"])
@pytest.mark.usefixtures("no_findings")
def test_a_launch_needs_a_stream_that_lives(emulated: Emulated, module: int, buffer: int) -> None:
    stream = pointer()
    assert emulated.library.hipStreamCreate(ctypes.byref(stream)) == 0
    alive = stream.value or 0
    assert launch(emulated, module, "gather", pointer(buffer), threads=4, stream=alive) == 0
    assert emulated.library.hipStreamDestroy(stream) == 0
    assert launch(emulated, module, "gather", pointer(buffer), threads=4, stream=alive) == 400
    emulated.free(buffer)


@pytest.mark.usefixtures("no_findings")
def test_registered_host_memory_is_the_kernel_s_too(emulated: Emulated, module: int) -> None:
    own = np.zeros(4, np.int32)
    start = pointer(own.ctypes.data)
    assert emulated.library.hipHostRegister(start, size_t(16), 0) == 0
    assert launch(emulated, module, "gather", start, threads=4) == 0
    assert emulated.library.hipDeviceSynchronize() == 0
    assert own.all()
    assert emulated.library.hipHostUnregister(start) == 0
