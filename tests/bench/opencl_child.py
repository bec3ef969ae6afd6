"""Times one OpenCL kernel on PoCL: a child of the benchmarks.

    python opencl_child.py gemm_f32_tiled|softmax

For each line on standard input, one run on one core, whose seconds it prints. OpenCL is reached
with ctypes, so that nothing but libOpenCL.so.1 and a driver need be installed. Ends with status 77
and a reason on standard error where PoCL is not installed.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import hipaudit_reference as ref
from hipaudit_reference import bounds

_HERE = Path(__file__).parent
_NOT_HERE = 77
_DEVICE_TYPE_CPU = 1 << 1
_PLATFORM_NAME = 0x0902
_BUILD_LOG = 0x1183
_READ_WRITE_COPY = (1 << 0) | (1 << 5)


def absent(reason: str) -> NoReturn:
    """End with the status that means: not installed here."""
    sys.stderr.write(f"{reason}\n")
    sys.exit(_NOT_HERE)


class OpenCl:
    """The calls of libOpenCL that a benchmark needs, each checked."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libOpenCL.so.1")
        except OSError as error:
            absent(f"no OpenCL: {error}")
        self._device = self._find_pocl()
        self._context = self._make("clCreateContext", None, 1, [self._device], None, None)
        self._queue = self._make(
            "clCreateCommandQueue", self._context, self._device, ctypes.c_ulong(0)
        )

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*map(_c_value, arguments))
        if status:
            raise RuntimeError(f"{name} failed with {status}")

    def _make(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Call a function that returns a handle and writes its status through a last pointer."""
        function = getattr(self._library, name)
        function.restype = ctypes.c_void_p
        status = ctypes.c_int(0)
        handle = function(*map(_c_value, arguments), ctypes.byref(status))
        if status.value:
            raise RuntimeError(f"{name} failed with {status.value}")
        return ctypes.c_void_p(handle)

    def _find_pocl(self) -> ctypes.c_void_p:
        platforms, count = (ctypes.c_void_p * 16)(), ctypes.c_uint(0)
        # With no driver at all the loader answers with an error of its own.
        self._library.clGetPlatformIDs(16, platforms, ctypes.byref(count))
        for platform in map(ctypes.c_void_p, platforms[: count.value]):
            name = ctypes.create_string_buffer(256)
            self._call(
                "clGetPlatformInfo", platform, _PLATFORM_NAME, ctypes.c_size_t(256), name, None
            )
            if b"Portable Computing Language" in name.value:
                device = ctypes.c_void_p()
                kind = ctypes.c_ulong(_DEVICE_TYPE_CPU)
                self._call("clGetDeviceIDs", platform, kind, 1, ctypes.byref(device), None)
                return device
        absent(f"PoCL is not among the {count.value} OpenCL platforms here")

    def kernel(self, source: Path, name: str) -> ctypes.c_void_p:
        """Compile a file and return one of its kernels."""
        text = (ctypes.c_char_p * 1)(source.read_bytes())
        program = self._make("clCreateProgramWithSource", self._context, 1, text, None)
        try:
            self._call("clBuildProgram", program, 1, [self._device], None, None, None)
        except RuntimeError as error:
            log = ctypes.create_string_buffer(1 << 16)
            size = ctypes.c_size_t(1 << 16)
            self._call("clGetProgramBuildInfo", program, self._device, _BUILD_LOG, size, log, None)
            raise RuntimeError(log.value.decode(errors="replace")) from error
        return self._make("clCreateKernel", program, name.encode())

    def buffer(self, data: np.ndarray[Any, Any]) -> ctypes.c_void_p:
        """Device memory with a copy of the array in it."""
        flags, size = ctypes.c_ulong(_READ_WRITE_COPY), ctypes.c_size_t(data.nbytes)
        return self._make(
            "clCreateBuffer", self._context, flags, size, data.ctypes.data_as(ctypes.c_void_p)
        )

    def download(self, buffer: ctypes.c_void_p, data: np.ndarray[Any, Any]) -> None:
        """Copy the buffer into the array."""
        sizes = (ctypes.c_size_t(0), ctypes.c_size_t(data.nbytes))
        to = data.ctypes.data_as(ctypes.c_void_p)
        self._call("clEnqueueReadBuffer", self._queue, buffer, 1, *sizes, to, 0, None, None)

    def run(self, kernel: ctypes.c_void_p, grid: tuple[int, int], block: tuple[int, int]) -> None:
        """Run the kernel on grid work-items, block a work-group, and wait for it."""
        total, local = (ctypes.c_size_t * 2)(*grid), (ctypes.c_size_t * 2)(*block)
        self._call(
            "clEnqueueNDRangeKernel", self._queue, kernel, 2, None, total, local, 0, None, None
        )
        self._call("clFinish", self._queue)

    def bind(self, kernel: ctypes.c_void_p, *arguments: ctypes.c_void_p | ctypes.c_int) -> None:
        """Set the kernel's arguments."""
        for position, argument in enumerate(arguments):
            size = ctypes.c_size_t(ctypes.sizeof(argument))
            self._call("clSetKernelArg", kernel, position, size, ctypes.byref(argument))


def _c_value(argument: Any) -> Any:
    """Lists of handles become arrays of them; what ctypes knows stays."""
    if isinstance(argument, list):
        return (ctypes.c_void_p * len(argument))(*(handle.value for handle in argument))
    return argument


def prepare(name: str) -> tuple[OpenCl, ctypes.c_void_p, tuple[int, int], tuple[int, int]]:
    """Set up the named kernel on the benchmark's input, and check its result once."""
    cl = OpenCl()
    kernel = cl.kernel(_HERE / "opencl" / f"{name}.cl", name)
    generator = np.random.default_rng(1)
    if name == "gemm_f32_tiled":
        a, b = (generator.uniform(-1, 1, (256, 256)).astype(np.float32) for _ in range(2))
        result, expected, bound = np.zeros_like(a), ref.gemm(a, b), bounds.gemm(a, b)
        buffers = [cl.buffer(array) for array in (a, b, result)]
        cl.bind(kernel, *buffers, *(ctypes.c_int(256),) * 3)
        grid, block = (4 * 256, 4), (256, 1)
    else:
        x = generator.normal(0, 3, (256, 2048)).astype(np.float32)
        # OpenCL allows exp 3 ULP; the table of AMD's fast functions allows it more.
        result, expected = np.zeros_like(x), ref.softmax(x)
        bound = bounds.softmax(x, device=bounds.AMD_FAST)
        buffers = [cl.buffer(array) for array in (x, result)]
        cl.bind(kernel, *buffers, ctypes.c_int(2048))
        grid, block = (256 * 256, 1), (256, 1)
    cl.run(kernel, grid, block)
    cl.download(buffers[-1], result)
    if not np.all(np.abs(result - expected) <= bound):
        raise AssertionError(f"{name} is wrong: there is nothing to time")
    return cl, kernel, grid, block


def main() -> None:
    """Serve runs until standard input ends."""
    # PoCL takes a thread a core of those the process may use.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cl, kernel, grid, block = prepare(sys.argv[1])
    for _ in sys.stdin:
        start = time.perf_counter()
        cl.run(kernel, grid, block)
        sys.stdout.write(f"{time.perf_counter() - start}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
