// The last-block sum whose last thread sets the counter back by a plain store, as the well-known
// sample does: it has seen the tickets of all others, and nobody comes after it.
// RUN: --kernel sum --grid 8 --block 64 --arg f32[512]=uniform(-1,1) --arg f32[8]=uninit
// RUN: --arg u32[1]=zeros --arg f32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void sum(const float* in, volatile float* partials, unsigned* ticket, float* out) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    float part = 0.0f;
    for (int i = 0; i < static_cast<int>(blockDim.x); ++i) part += in[blockIdx.x * blockDim.x + i];
    partials[blockIdx.x] = part;
    __threadfence();
    last = atomicInc(ticket, gridDim.x) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  if (threadIdx.x == 0) {
    float total = 0.0f;
    for (int b = 0; b < static_cast<int>(gridDim.x); ++b) total += partials[b];
    out[0] = total;
    *ticket = 0;
  }
}
