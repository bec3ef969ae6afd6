// y += a x whose tail guard lets one thread too many through: i == n reads x[n] and writes y[n],
// one element past both buffers. Nothing traps on hardware: the store lands in whatever hipMalloc
// placed behind y. The twin stops at i < n.
// RUN: --kernel axpy --grid 4 --block 256 --arg f32[1000]=uniform(-1,1)
// RUN: --arg f32[1000]=uniform(-1,1) --arg i32=1000 --arg f32=0.5
#include <hip/hip_runtime.h>

__global__ void axpy(const float* x, float* y, int n, float a) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  const bool inside = i <= n;
#else
  const bool inside = i < n;
#endif
  if (inside) y[i] += a * x[i];  // FAULT: out-of-bounds-global at
}
