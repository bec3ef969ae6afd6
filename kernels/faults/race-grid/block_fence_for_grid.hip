// Last-block sum whose fences are those of the block: they order the stores for the block's own
// threads and nobody else. The twin's fences are the device's.
// RUN: --kernel total --grid 4 --block 64 --arg f32[256]=uniform(-1,1) --arg f32[4]=zeros
// RUN: --arg u32[1]=zeros --arg f32[1]=zeros
#include <hip/hip_runtime.h>

__device__ void fence() {
#ifndef TWIN
  __threadfence_block();
#else
  __threadfence();
#endif
}

__global__ void total(const float* in, float* partials, unsigned* ticket, float* out) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    float sum = 0.0f;
    for (int i = 0; i < 64; ++i) sum += in[blockIdx.x * 64 + i];
    partials[blockIdx.x] = sum;  // FAULT: race-grid write
    fence();
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
    fence();
    if (last) {
      float all = 0.0f;
      for (unsigned b = 0; b < gridDim.x; ++b) all += partials[b];  // FAULT: race-grid other
      out[0] = all;
    }
  }
}
