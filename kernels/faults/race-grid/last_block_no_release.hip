// Last-block sum with a fence on the reader's side only: the parts may become visible after the
// ticket that announces them. The twin has the writer's fence too.
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
    __threadfence();
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
