// A lock between blocks, taken by one thread of each: compare-and-swap and fence, plain accesses,
// fence and exchange. The plain accesses are ordered by the lock.
// RUN: --kernel add_locked --grid 8 --block 32 --arg i32[8]=iota --arg i32[1]=zeros
// RUN: --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void add_locked(const int* in, int* mutex, int* total) {
  if (threadIdx.x != 0) return;
  while (atomicCAS(mutex, 0, 1) != 0) __builtin_amdgcn_s_sleep(1);
  __threadfence();
  total[0] += in[blockIdx.x];
  __threadfence();
  atomicExch(mutex, 0);
}
