// `continue` skips the barrier of a round for the threads that have nothing to do in it: they
// arrive a round early, and everybody's later barriers are one off. The twin skips the work and not
// the barrier.
// RUN: --kernel sum_rounds --grid 1 --block 64 --arg f32[256]=uniform(-1,1) --arg f32[64]=uninit
// RUN: --arg i32=4
#include <hip/hip_runtime.h>

__global__ void sum_rounds(const float* in, float* out, int rounds) {
  __shared__ float slots[2][64];
  const int tid = threadIdx.x;
  slots[0][tid] = slots[1][tid] = 0.0f;
  float sum = 0.0f;
  for (int round = 0; round < rounds; ++round) {
    const bool idle = (tid + round) % 5 == 0;
#ifndef TWIN
    if (idle) continue;
#endif
    if (!idle) slots[round % 2][tid] = in[round * 64 + tid];  // ALSO: race-shared write
    __syncthreads();                                          // FAULT: barrier-divergence at
    sum += slots[round % 2][63 - tid];                        // ALSO: race-shared other
  }
  out[tid] = sum;
}
