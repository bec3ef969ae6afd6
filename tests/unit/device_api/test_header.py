"""hip_runtime_api.h: its values are hip-python's, and host code of HIP programs parses with it."""

from __future__ import annotations

import enum
import subprocess
import textwrap
from pathlib import Path

import pytest

from hipaudit import toolchain

INCLUDE = toolchain.NATIVE / "include"
HEADERS = [INCLUDE / "hip" / "hip_runtime_api.h", *sorted((INCLUDE / "hipaudit").glob("api_*.h"))]

# What another version of ROCm has elsewhere: the ends of enumerations, and what took their place.
MOVING = {
    "hipErrorTbd",
    "hipErrorInvalidClusterSize",
    "hipLimitRange",
    "hipFuncAttributeMax",
    "hipLaunchAttributeMax",
    "HIP_FUNC_ATTRIBUTE_MAX",
}

HOST_PROGRAM = """
#include <hip/hip_runtime_api.h>

#include <cstdio>
#include <vector>

__device__ float table[16];
__device__ int counter;

template <typename T>
__global__ void scale(T* out, const T* in, int n) {
  if (n > 0) out[0] = in[0] * table[1];
}

#define CHECK(call)                                                                     \\
  do {                                                                                  \\
    hipError_t status = (call);                                                         \\
    if (status != hipSuccess) std::printf("%s\\n", hipGetErrorString(status));           \\
  } while (0)

int main() {
  float *in = nullptr, *out = nullptr, *pinned = nullptr;
  std::vector<float> host(16);
  int n = 16;
  hipStream_t stream;
  hipEvent_t start, stop;
  CHECK(hipMalloc(&in, 64));
  CHECK(hipMalloc(reinterpret_cast<void**>(&out), 64));
  CHECK(hipHostMalloc(&pinned, 64));
  CHECK(hipMallocManaged(&pinned, 64));
  CHECK(hipMemcpyToSymbol(HIP_SYMBOL(table), host.data(), 64));
  CHECK(hipMemcpyToSymbol(counter, &n, sizeof(n)));
  CHECK(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
  CHECK(hipEventCreate(&start));
  CHECK(hipEventCreateWithFlags(&stop, hipEventDisableTiming));
  CHECK(hipEventRecord(start));
  hipLaunchKernelGGL(scale<float>, dim3(1), dim3(64), 0, stream, out, in, n);
  hipLaunchKernelGGL(HIP_KERNEL_NAME(scale<float>), 1, 64, 0, 0, out, in, n);
  scale<<<dim3(1), 64, 0, stream>>>(out, in, n);
  CHECK(hipGetLastError());
  CHECK(hipEventRecord(stop, stream));
  void* arguments[] = {&out, &in, &n};
  CHECK(hipLaunchKernel(scale<float>, dim3(1), dim3(1), arguments));
  CHECK(hipLaunchCooperativeKernel(scale<float>, dim3(1), dim3(1), arguments, 0, stream));
  int grid = 0, block = 0;
  CHECK(hipOccupancyMaxPotentialBlockSize(&grid, &block, scale<float>));
  CHECK(hipFuncSetAttribute(scale<float>, hipFuncAttributeMaxDynamicSharedMemorySize, 100));
  void* extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, arguments, HIP_LAUNCH_PARAM_END};
  CHECK(hipModuleLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, stream, nullptr, extra));
  hipDeviceProp_t properties;
  CHECK(hipGetDeviceProperties(&properties, 0));
  std::printf("%s %d\\n", properties.gcnArchName, properties.warpSize);
  hipGraph_t graph;
  hipGraphExec_t executable;
  CHECK(hipStreamBeginCapture(stream, hipStreamCaptureModeGlobal));
  CHECK(hipStreamEndCapture(stream, &graph));
  CHECK(hipGraphInstantiate(&executable, graph, nullptr, nullptr, 0));
  CHECK(hipGraphLaunch(executable, stream));
  CHECK(hipMemcpyAsync(host.data(), out, 64, hipMemcpyDeviceToHost, stream));
  CHECK(hipStreamSynchronize(stream));
  CHECK(hipFree(in));
}
"""

LAYOUTS = """
static_assert(sizeof(hipDeviceProp_t) == 1472);
static_assert(sizeof(hipPointerAttribute_t) == 32);
static_assert(sizeof(hipMemcpy3DParms) == 160);
static_assert(sizeof(hip_Memcpy2D) == 128);
static_assert(sizeof(HIP_MEMCPY3D) == 184);
static_assert(sizeof(hipMemPoolProps) == 88);
static_assert(sizeof(hipFuncAttributes) == 56);
static_assert(sizeof(hipLaunchAttribute) == 72);
static_assert(sizeof(hipLaunchConfig_t) == 56);
static_assert(sizeof(hipStreamBatchMemOpParams) == 48);
static_assert(sizeof(hipIpcMemHandle_t) == 64);
static_assert(sizeof(dim3) == 12);
"""


def parse(folder: Path, source: str, *mode: str) -> subprocess.CompletedProcess[str]:
    """Parses a translation unit with the pinned compiler and our headers."""
    unit = folder / "unit.hip"
    unit.write_text(textwrap.dedent(source))
    tools = toolchain.compiler()
    target = ("-triple", toolchain.TRIPLE, "-fgnuc-version=4.2.1", "-std=c++20", "-Wall", "-Werror")
    command = [*tools.compile, *target, *tools.includes, "-I", str(INCLUDE), *mode]
    return subprocess.run(
        [*command, "-fsyntax-only", str(unit)], capture_output=True, text=True, check=False
    )


PLAIN = ("-x", "c++")
HOST = ("-x", "hip", "-fhip-new-launch-api", "-fcxx-exceptions", "-fexceptions")
DEVICE = (*HOST, "-fcuda-is-device", "-aux-triple", toolchain.TRIPLE)


@pytest.mark.parametrize("mode", [HOST, DEVICE], ids=["host", "device"])
def test_a_hip_program_s_host_code_parses(tmp_path: Path, mode: tuple[str, ...]) -> None:
    result = parse(tmp_path, HOST_PROGRAM, *mode)
    assert result.returncode == 0, result.stderr


def test_a_wrong_call_does_not_parse(tmp_path: Path) -> None:
    wrong = HOST_PROGRAM.replace("hipEventRecord(start)", "hipEventRecord(start, 3.5)")
    assert "no matching function" in parse(tmp_path, wrong, *HOST).stderr


def test_layouts_and_values_are_rocm_s(tmp_path: Path) -> None:
    from hip import hip

    declared = "".join(header.read_text() for header in HEADERS)
    asserts = []
    for kind in vars(hip).values():
        if not (isinstance(kind, type) and issubclass(kind, enum.Enum)):
            continue
        for name, member in kind.__members__.items():
            if f" {name} =" in declared and name not in MOVING:
                asserts.append(f"static_assert({name} == {member.value}LL);")
    assert len(asserts) > 400
    source = "#include <hip/hip_runtime_api.h>\n" + LAYOUTS + "\n".join(asserts)
    result = parse(tmp_path, source, *PLAIN)
    assert result.returncode == 0, result.stderr


def test_every_error_and_attribute_of_hip_python_is_declared() -> None:
    from hip import hip

    declared = "".join(header.read_text() for header in HEADERS)
    for kind in (hip.hipError_t, hip.hipDeviceAttribute_t, hip.hipMemcpyKind, hip.hipLimit_t):
        names = set(kind.__members__) - MOVING
        assert {name for name in names if f" {name} =" not in declared} == set()
