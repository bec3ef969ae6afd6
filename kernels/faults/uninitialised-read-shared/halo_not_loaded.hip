// Stencil tile with room for both halo elements, of which only the left one is loaded: the last
// thread reads a right neighbour that nobody wrote. The twin loads both.
// RUN: --kernel laplace --grid 2 --block 128 --arg f32[258]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 128;

__global__ void laplace(const float* in, float* out) {
  __shared__ float tile[kBlock + 2];
  const int tid = threadIdx.x;
  const float* from = in + blockIdx.x * kBlock;
  tile[tid + 1] = from[tid + 1];
  if (tid == 0) tile[0] = from[0];
#ifdef TWIN
  if (tid == kBlock - 1) tile[kBlock + 1] = from[kBlock + 1];
#endif
  __syncthreads();
  const float right = tile[tid + 2];  // FAULT: uninitialised-read-shared at
  out[blockIdx.x * kBlock + tid] = tile[tid] - 2.0f * tile[tid + 1] + right;
}
