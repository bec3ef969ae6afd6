"""What every program here starts with; run with the argument ``twin``, each is its own clean twin.

``ok`` raises on a status that is no success and returns what else the call gave.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from hip import hip, hiprtc

TWIN = sys.argv[1:] == ["twin"]
TO_DEVICE = hip.hipMemcpyKind.hipMemcpyHostToDevice
TO_HOST = hip.hipMemcpyKind.hipMemcpyDeviceToHost
ON_DEVICE = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
ONE_BLOCK = (1, 1, 1, 64, 1, 1, 0)
"""Grid, block and dynamic shared memory of a small launch."""

ADD_ONE = b"""
extern "C" __global__ void add_one(float* data, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) data[i] += 1.0f;
}
"""


def ok(answer: Any) -> Any:
    """Return a call's results without its status; RuntimeError when that is no success."""
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise RuntimeError(str(status))
    if not results:
        return None
    return results[0] if len(results) == 1 else tuple(results)


def address(pointer: Any) -> int:
    """Return a pointer of hip-python's as a number."""
    return int(pointer) if not hasattr(pointer, "as_c_void_p") else pointer.as_c_void_p().value


def module_of(source: bytes) -> Any:
    """Compile a source and load it."""
    return ok(hip.hipModuleLoadData(code_of(source)))


def code_of(source: bytes) -> bytearray:
    """Compile a source."""
    program = ok(hiprtc.hiprtcCreateProgram(source, b"program.hip", 0, [], []))
    arch = ok_properties().gcnArchName
    name = arch if isinstance(arch, bytes) else arch.encode()
    ok(hiprtc.hiprtcCompileProgram(program, 1, [b"--offload-arch=" + name]))
    code = bytearray(ok(hiprtc.hiprtcGetCodeSize(program)))
    ok(hiprtc.hiprtcGetCode(program, code))
    ok(hiprtc.hiprtcDestroyProgram(program.createRef()))
    return code


def ok_properties() -> Any:
    """Return the device's properties in every version of hip-python."""
    try:
        return ok(hip.hipGetDeviceProperties(0))
    except TypeError:
        properties = hip.hipDeviceProp_t()
        ok(hip.hipGetDeviceProperties(properties, 0))
        return properties


def launch(function: Any, stream: Any, *arguments: Any, block: int = 64, shared: int = 0) -> None:
    """Launch one block."""
    ok(
        hip.hipModuleLaunchKernel(
            function, 1, 1, 1, block, 1, 1, shared, stream, None, tuple(arguments)
        )
    )


def pointer_to(memory: Any) -> ctypes.c_void_p:
    """Return an address as a kernel's argument."""
    return ctypes.c_void_p(address(memory))
