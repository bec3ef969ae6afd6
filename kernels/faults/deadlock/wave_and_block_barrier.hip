// Half of a wave waits in __syncwarp for all its lanes, the other half waits at the block's barrier
// for them. Neither can go on. The twin takes all lanes through both.
// RUN: --kernel rotate --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=zeros
// TIMEOUT: 1
#include <hip/hip_runtime.h>

__global__ void rotate(const float* in, float* out) {
  __shared__ float slots[32];
  const int lane = threadIdx.x;
  slots[lane] = in[lane];
#ifndef TWIN
  if (lane < 16) {
    __syncwarp(0xffffffffull);  // FAULT: deadlock|barrier-divergence at other
  } else {
    __syncthreads();  // FAULT: deadlock|barrier-divergence at other
  }
#else
  __syncwarp(0xffffffffull);
#endif
  out[lane] = slots[(lane + 16) % 32];
}
