// A barrier inside `if (tid < 100)`: the other threads never come to it. The twin has the barrier
// outside.
// RUN: --kernel reverse --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];
#ifndef TWIN
  if (tid < 100)
#endif
    __syncthreads();  // FAULT: barrier-divergence at
  out[tid] = tid < 100 ? slots[99 - tid] : slots[tid];
}
