// Elementwise update in place: each thread reads and overwrites its own elements, in several
// passes, and no other's.
// RUN: --kernel update --grid 4 --block 64 --arg f32[1000]=uniform(-1,1) --arg i32=1000
#include <hip/hip_runtime.h>

__global__ void update(float* x, int n) {
  const int step = gridDim.x * blockDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
    x[i] += 1.0f;
    x[i] = x[i] * x[i];
  }
}
