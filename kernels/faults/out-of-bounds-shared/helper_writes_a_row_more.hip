// A helper that takes a pointer to shared memory and clears one row more than the tile has: nothing
// of the array's type is left to tell, and the next variable lies right behind on hardware. The
// twin passes the right count.
// RUN: --kernel tile_sum --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_runtime.h>

__device__ __noinline__ void clear(float* tile, int rows) {
  for (int row = 0; row < rows; ++row)
    tile[row * 64 + threadIdx.x] = 0.0f;  // FAULT: out-of-bounds-shared at
}

__global__ void tile_sum(const float* in, float* out) {
  __shared__ float tile[4 * 64];
  __shared__ float weights[2 * 64];
  const int tid = threadIdx.x;
  weights[tid] = in[tid];
  weights[64 + tid] = 2.0f * in[tid];
#ifndef TWIN
  clear(tile, 5);
#else
  clear(tile, 4);
#endif
  __syncthreads();
  const int from = 63 - tid;
  out[tid] = tile[3 * 64 + from] + weights[from] + weights[64 + from];
}
