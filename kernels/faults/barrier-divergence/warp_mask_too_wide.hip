// __syncwarp with a mask of all lanes, called by half of them: the mask names lanes that never come
// to this instruction. ROCm's own check of masks aborts on it; without the check the wave waits or
// goes on by luck. The twin names the lanes that take part.
// RUN: --kernel swap_pairs --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=zeros
#include <hip/hip_runtime.h>

__global__ void swap_pairs(const float* in, float* out) {
  __shared__ float slots[32];
  const int lane = threadIdx.x;
#ifndef TWIN
  const unsigned long long mask = 0xffffffffull;
#else
  const unsigned long long mask = 0xffffull;
#endif
  if (lane < 16) {
    slots[lane] = in[lane];
    __syncwarp(mask);  // FAULT: barrier-divergence at
    out[lane] = slots[lane ^ 1];
  }
}
