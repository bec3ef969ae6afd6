"""What the checks cost in memory: nothing before memory is touched, six bytes a byte after."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from compiled_program import COMPILE

from hipaudit import device

MIB = 1 << 20

# Prints the growth of resident memory, in bytes, from before an allocation to after a kernel has
# run on its first `touched` bytes; `buffers` more small ones are alive meanwhile.
KERNELS = """
import ctypes, json, os, sys
from hipaudit import hipcalls
size, touched, name, buffers = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
hip, call = hipcalls.hip(), hipcalls.call
SOURCE = b'''
extern "C" __global__ void scale(float* x) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  x[i] = 2.0f * x[i];
}
extern "C" __global__ void shift(float* x) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned n = gridDim.x * blockDim.x;
  const float sum = x[i > 0 ? i - 1 : 0] + x[i] + x[i + 1 < n ? i + 1 : 0];
  __syncthreads();
  if (sum > 1e30f) x[i] = sum;
}
'''
"""
RUN = """
function = call(hip.hipModuleGetFunction, module, name.encode())

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def launch(pointer, blocks):
    address = ctypes.c_void_p(int(pointer))
    extra = (ctypes.c_void_p * 1)(ctypes.cast(ctypes.pointer(address), ctypes.c_void_p))
    call(hip.hipModuleLaunchKernel, function, blocks, 1, 1, 256, 1, 1, 0, None, extra, None)
    call(hip.hipDeviceSynchronize)

small = call(hip.hipMalloc, 4096)
call(hip.hipMemset, small, 0, 4096)
launch(small, 1)
before = resident()
big = call(hip.hipMalloc, size)
kept = [call(hip.hipMalloc, 64) for _ in range(buffers)]
allocated = resident() - before
if touched:
    call(hip.hipMemset, big, 0, touched)
    launch(big, touched // 1024)
print(json.dumps({"allocated": allocated, "touched": resident() - before}))
for one in (small, big, *kept):
    call(hip.hipFree, one)
"""


def growth(size: int, touched: int, kernel: str, buffers: int = 0) -> dict[str, int]:
    environment = device.child_environment("emulated", {"build": "checked"})
    program = KERNELS + COMPILE + RUN
    command = [sys.executable, "-c", program, str(size), str(touched), kernel, str(buffers)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_four_gigabytes_cost_nothing_until_they_are_touched() -> None:
    found = growth(4096 * MIB, 0, "scale")
    assert found["allocated"] < 4 * MIB


@pytest.mark.parametrize("kernel", ["scale", "shift"])
def test_shadow_takes_at_most_six_bytes_a_byte(kernel: str) -> None:
    touched = 32 * MIB
    found = growth(touched, touched, kernel)
    # The buffer itself, its shadow, and what compiling and launching leave behind.
    assert touched < found["touched"] <= (1 + 6) * touched + 8 * MIB
