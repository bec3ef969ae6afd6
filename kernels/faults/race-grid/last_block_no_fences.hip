// Last-block sum without fences: each block stores its part and takes a ticket; whoever draws the
// last one sums the parts. The ticket is atomic, the parts are not, and nothing orders a part
// before its ticket. The twin has a fence before the ticket and one after it.
// RUN: --kernel sum --grid 8 --block 64 --arg f32[512]=uniform(-1,1) --arg f32[8]=uninit
// RUN: --arg u32[1]=zeros --arg f32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void sum(const float* in, float* partials, unsigned* ticket, float* out) {
  __shared__ bool last;
  const int tid = threadIdx.x;
  if (tid == 0) {
    float part = 0.0f;
    for (int i = 0; i < static_cast<int>(blockDim.x); ++i) part += in[blockIdx.x * blockDim.x + i];
    partials[blockIdx.x] = part;  // FAULT: race-grid write
#ifdef TWIN
    __threadfence();
#endif
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
#ifdef TWIN
    __threadfence();
#endif
  }
  __syncthreads();
  if (last && tid == 0) {
    float total = 0.0f;
    for (int b = 0; b < static_cast<int>(gridDim.x); ++b) {
      total += partials[b];  // FAULT: race-grid other
    }
    out[0] = total;
  }
}
