// Producer and consumer through a flag with a fence on the wrong side of the store: it orders what
// came before it, which is not the data. The twin stores first.
// RUN: --kernel hand_over --grid 2 --block 1 --arg f32[1]=uniform(-1,1) --arg f32[1]=zeros
// RUN: --arg i32[1]=zeros --arg f32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void hand_over(const float* in, float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    const float value = 2.0f * in[0];
#ifdef TWIN
    data[0] = value;
#endif
    __threadfence();
#ifndef TWIN
    data[0] = value;  // FAULT: race-grid write
#endif
    atomicExch(flag, 1);
  } else {
    while (atomicAdd(flag, 0) == 0) {
    }
    __threadfence();
    out[0] = data[0];  // FAULT: race-grid other
  }
}
