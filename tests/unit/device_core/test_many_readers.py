"""Two workers that read the same words, whole and in part, remember them without hanging."""

from __future__ import annotations

import subprocess
import sys

from compiled_program import COMPILE

from hipaudit import device

LAUNCHES = 10_000
KERNELS = """
import ctypes
from hipaudit import hipcalls
hip, call = hipcalls.hip(), hipcalls.call
SOURCE = b'''
extern "C" __global__ void read(const char* bytes, float* out, int n) {
  const float* words = reinterpret_cast<const float*>(bytes);
  float sum = 0;
  if (blockIdx.x & 1)
    for (int i = 0; i < n; ++i) sum += words[(i + threadIdx.x * 3) % n];
  else
    for (int i = 0; i < 4 * n; ++i) sum += bytes[(i * 5 + threadIdx.x) % (4 * n)];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
'''
"""
RUN = f"""
function = call(hip.hipModuleGetFunction, module, b"read")
words, out = call(hip.hipMalloc, 256), call(hip.hipMalloc, 4096)
call(hip.hipMemset, words, 0, 256)
for _ in range({LAUNCHES}):
    arguments = (words, out, ctypes.c_int(64))
    call(hip.hipModuleLaunchKernel, function, 16, 1, 1, 64, 1, 1, 0, None, None, arguments)
    call(hip.hipDeviceSynchronize)
call(hip.hipFree, words)
call(hip.hipFree, out)
print("read", {LAUNCHES}, "times")
"""


def test_readers_of_whole_words_and_of_parts() -> None:
    environment = device.child_environment("emulated", {"workers": "2", "build": "checked"})
    result = subprocess.run(
        [sys.executable, "-c", KERNELS + COMPILE + RUN],
        env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["read", str(LAUNCHES), "times"]
