// Half of the wave adds the other half's value by a shuffle inside `if (lane < 16)`: the lanes it
// reads from are not active there, and their value is undefined. The twin shuffles with all lanes
// and then selects.
// RUN: --kernel fold --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[16]=uninit
#include <hip/hip_runtime.h>

__global__ void fold(const float* in, float* out) {
  const int lane = threadIdx.x;
  const float mine = in[lane];
#ifdef TWIN
  const float other = __shfl_down(mine, 16);
#endif
  if (lane < 16) {
#ifndef TWIN
    const float other = __shfl_down(mine, 16);  // FAULT: undefined-behaviour at
#endif
    out[lane] = mine + other;
  }
}
