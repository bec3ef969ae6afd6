// Launched with dynamic shared memory for four values a thread, of which the kernel uses one. The
// twin uses all four.
// RUN: --kernel reverse --grid 1 --block 64 --shared 1024 --arg f32[256]=uniform(-1,1)
// RUN: --arg f32[256]=zeros
// SEVERITY: info|warning
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr int kRounds = 1;
#else
constexpr int kRounds = 4;
#endif

extern __shared__ float slots[];  // FAULT: unused-shared at

__global__ void reverse(const float* in, float* out) {
  const int n = blockDim.x;
  const int tid = threadIdx.x;
  for (int round = 0; round < kRounds; ++round) slots[round * n + tid] = in[round * n + tid];
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    out[round * n + tid] = slots[round * n + n - 1 - tid];
  }
}
