// A guard of i < n - 1, left from a version that read its right neighbour: the last element stays
// unwritten. The twin's guard is i < n.
// RUN: --kernel scale --grid 4 --block 256 --arg f32[1000]=uniform(-1,1) --arg f32[1000]=uninit
// RUN: --arg i32=1000
#include <hip/hip_runtime.h>

__global__ void scale(const float* in, float* out, int n) {  // FAULT: unwritten-output at
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  const int end = n - 1;
#else
  const int end = n;
#endif
  if (i < end) out[i] = 2.0f * in[i];  // FAULT: unwritten-output at
}
