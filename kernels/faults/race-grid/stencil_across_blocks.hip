// Stencil in place over several blocks. A barrier separates the reads from the writes inside a
// block; the elements at the seams belong to the neighbour block, which may have run already, or
// not. The twin writes to another buffer.
// RUN: --kernel smooth --grid 4 --block 64 --arg f32[256]=uniform(-1,1) --arg f32[256]=zeros
#include <hip/hip_runtime.h>

__global__ void smooth(float* x, float* y) {
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  float* const to = x;
#else
  float* const to = y;
#endif
  const float left = x[max(i - 1, 0)];       // FAULT: race-grid other
  const float right = x[min(i + 1, n - 1)];  // FAULT: race-grid other
#ifndef TWIN
  __syncthreads();
#endif
  to[i] = 0.5f * (left + right);  // FAULT: race-grid write
}
