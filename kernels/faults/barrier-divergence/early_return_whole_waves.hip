// The guard at the head returns before a barrier, and n = 128 makes it return whole waves. The
// hardware's barrier counts surviving waves only, so this runs; HIP still asks for all threads of
// the block, and reported deadlocks on ROCm came of it. A warning. The twin keeps every thread.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
// RUN: --arg i32=128
// SEVERITY: warning
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reverse(const float* in, float* out, int n) {
  __shared__ float slots[kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid >= n) return;
#endif
  if (tid < n) slots[tid] = in[tid];
  __syncthreads();  // FAULT: barrier-divergence at
  if (tid < n) out[tid] = slots[n - 1 - tid];
}
