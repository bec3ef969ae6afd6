"""Blocks that wait for one another: more of them than there are stacks for their threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from check_command import findings

LOOK_BACK = """#include <hip/hip_runtime.h>

constexpr int kThreads = 256;
constexpr int kSum = 1;     // flags[b]: the block's own sum is there
constexpr int kPrefix = 2;  // and that of all before

__device__ void publish(int* flag, int value) {
  __hip_atomic_store(flag, value, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}

__global__ void scan(const int* in, int* out, int* flags, int* sums, int* prefixes) {
  __shared__ int s[kThreads];
  __shared__ int before;
  const int t = threadIdx.x;
  const int b = blockIdx.x;
  s[t] = in[b * kThreads + t];
  __syncthreads();
  for (int d = 1; d < kThreads; d *= 2) {
    const int more = t >= d ? s[t - d] : 0;
    __syncthreads();
    s[t] += more;
    __syncthreads();
  }
  if (t == 0) {
    sums[b] = s[kThreads - 1];
    publish(&flags[b], kSum);
    int sum = 0;
    for (int k = b - 1; k >= 0; --k) {
      int flag = 0;
      while (flag == 0)
        flag = __hip_atomic_load(&flags[k], __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT);
      sum += flag == kPrefix ? prefixes[k] : sums[k];
      if (flag == kPrefix) break;
    }
    prefixes[b] = sum + s[kThreads - 1];
    publish(&flags[b], kPrefix);
    before = sum;
  }
  __syncthreads();
  out[b * kThreads + t] = before + s[t];
}
"""

GRID_BARRIER = """#include <hip/hip_runtime.h>

__global__ void meet(int* count, int* out) {
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd(count, 1);
    while (__hip_atomic_load(count, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT) < (int)gridDim.x) {
    }
  }
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = threadIdx.x;
}
"""


def errors(
    folder: Path, source: str, blocks: int, *arguments: str, workers: int
) -> list[dict[str, Any]]:
    """The errors of a run of so many blocks of 256 threads on so many workers."""
    found = findings(folder, source, blocks, 256, *arguments, workers=workers)
    return [one for one in found if one["severity"] == "error"]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_blocks_look_back_at_those_before(tmp_path: Path, workers: int) -> None:
    size, blocks = "i32[102400]", 400
    flags, sums = f"i32[{blocks}]=zeros", f"i32[{blocks}]"
    arguments = (f"{size}=ones", size, flags, sums, sums)
    assert not errors(tmp_path, LOOK_BACK, blocks, *arguments, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_grid_that_meets_by_hand(tmp_path: Path, workers: int) -> None:
    assert not errors(tmp_path, GRID_BARRIER, 100, "i32[1]=zeros", "i32[25600]", workers=workers)


def test_more_threads_that_wait_than_there_are_stacks_for(tmp_path: Path) -> None:
    arguments = ("i32[1]=zeros", "i32[51200]=zeros")
    (found,) = errors(tmp_path, GRID_BARRIER, 200, *arguments, workers=2)
    assert "more threads wait at the same time" in found["message"]
