// Positions are kept as float4 for aligned loads and written by component, without w; the consumer
// multiplies by w. The twin sets w to one.
// RUN: --kernel project --grid 1 --block 64 --arg f32[192]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg f32[64]=uninit
// ALSO: unwritten-output
#include <hip/hip_runtime.h>

__global__ void project(const float* in, float4* points, float* out) {
  const int i = threadIdx.x;
  points[i].x = in[3 * i];
  points[i].y = in[3 * i + 1];
  points[i].z = in[3 * i + 2];
#ifdef TWIN
  points[i].w = 1.0f;
#endif
  __syncthreads();
  const int other = blockDim.x - 1 - i;
  const float w = points[other].w;  // FAULT: uninitialised-read-global at
  out[i] = (points[other].x + points[other].y + points[other].z) * w;
}
