// Two pointers into one buffer, one read and one written, through a helper that cannot know that
// they do not overlap.
// RUN: --kernel mirror --grid 2 --block 64 --arg f32[256]=uniform(-1,1)
#include <hip/hip_runtime.h>

__device__ void copy(const float* from, float* to, int i) { to[i] = from[i]; }

__global__ void mirror(float* buffer) {
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  copy(buffer, buffer + n, i);
  buffer[n + i] = -buffer[n + i];
}
