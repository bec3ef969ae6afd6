// Iteration with a barrier in each round that every thread leaves when its own element has
// converged. The twin leaves when all have, by a vote that is itself a barrier.
// RUN: --kernel settle --grid 1 --block 64 --arg i32[64]=iota --arg i32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void settle(const int* in, int* out) {
  const int tid = threadIdx.x;
  int value = in[tid];
  int count = 0;
  for (;;) {
#ifndef TWIN
    if (value == 0) break;
#else
    if (__syncthreads_and(value == 0)) break;
#endif
    if (value != 0) {
      value /= 2;
      ++count;
    }
#ifndef TWIN
    __syncthreads();  // FAULT: barrier-divergence at
#endif
  }
  out[tid] = count;
}
