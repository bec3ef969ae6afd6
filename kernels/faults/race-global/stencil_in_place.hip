// Smoothing in place: each thread overwrites the element that its neighbours, perhaps in another
// wave, still have to read. The twin reads all, waits, then writes.
// RUN: --kernel smooth --grid 1 --block 256 --arg f32[256]=uniform(-1,1)
#include <hip/hip_runtime.h>

__global__ void smooth(float* x) {
  const int i = threadIdx.x;
  const int n = blockDim.x;
  const float left = x[(i + n - 1) % n];  // FAULT: race-global other
  const float right = x[(i + 1) % n];     // FAULT: race-global other
#ifdef TWIN
  __syncthreads();
#endif
  x[i] = 0.5f * (left + right);  // FAULT: race-global write
}
