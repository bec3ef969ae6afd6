// The first lane of each wave loads the scale and returns when it has no row; the others take the
// scale from it all the same. The twin keeps the lane until it has been read.
// RUN: --kernel scale --grid 1 --block 64 --arg f32[64]=uniform(1,2) --arg f32[64]=zeros
#include <hip/hip_runtime.h>

__global__ void scale(const float* in, float* out) {
  const int lane = threadIdx.x % warpSize;
  const float first = lane == 0 ? in[threadIdx.x] : 0.0f;
#ifndef TWIN
  if (lane == 0) return;
#endif
  const float factor = __shfl(first, 0);  // FAULT: undefined-behaviour at
#ifdef TWIN
  if (lane == 0) return;
#endif
  out[threadIdx.x] = factor * in[threadIdx.x];
}
