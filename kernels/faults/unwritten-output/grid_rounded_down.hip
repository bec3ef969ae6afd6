// The grid was computed as n / block: the last 232 of 1000 elements have no thread. The buffer
// keeps what was there before. The twin strides over the array until it is done, whatever the grid.
// RUN: --kernel square --grid 3 --block 256 --arg f32[1000]=uniform(-1,1) --arg f32[1000]=uninit
// RUN: --arg i32=1000
#include <hip/hip_runtime.h>

__global__ void square(const float* in, float* out, int n) {  // FAULT: unwritten-output at
  const int first = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  const int step = n;
#else
  const int step = gridDim.x * blockDim.x;
#endif
  for (int i = first; i < n; i += step) {
    out[i] = in[i] * in[i];  // FAULT: unwritten-output at
  }
}
