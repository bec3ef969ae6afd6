// The row above by pointer arithmetic in an inlined helper, also for the first row, which has none:
// the access lies before the buffer. The twin stays in its row there.
// RUN: --kernel above --grid 1 --block 16,2 --arg f32[32]=uniform(-1,1) --arg f32[32]=uninit
#include <hip/hip_runtime.h>

__device__ __forceinline__ float row_above(const float* at, int pitch) {
  return at[-pitch];  // FAULT: out-of-bounds-global at
}

__global__ void above(const float* in, float* out) {
  const int i = threadIdx.y * 16 + threadIdx.x;
#ifndef TWIN
  const int pitch = 16;
#else
  const int pitch = threadIdx.y > 0 ? 16 : 0;
#endif
  out[i] = in[i] - row_above(in + i, pitch);
}
