// Particles as a structure of arrays in one buffer: the offset of the third column is taken from
// the count of threads in the grid, which is rounded up, and its end lies behind the buffer's. The
// twin takes the count of particles.
// RUN: --kernel advance --grid 2 --block 64 --arg f32[300]=uniform(-1,1) --arg i32=100
#include <hip/hip_runtime.h>

__global__ void advance(float* columns, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
#ifndef TWIN
  const int stride = gridDim.x * blockDim.x;
#else
  const int stride = n;
#endif
  columns[2 * stride + i] *= 0.5f;  // FAULT: out-of-bounds-global at
}
