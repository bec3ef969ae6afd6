// __threadfence between writing and reading a buffer that the block's threads exchange: a fence
// orders what its own thread does; it waits for nobody. The twin has a barrier.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* scratch, float* out) {
  const int i = threadIdx.x;
  scratch[i] = 2.0f * in[i];  // FAULT: race-global write
#ifndef TWIN
  __threadfence();
#else
  __syncthreads();
#endif
  out[i] = scratch[blockDim.x - 1 - i];  // FAULT: race-global other
}
