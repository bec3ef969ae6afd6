// Five-point window over a tile in shared memory that has room for the block but not for its halo:
// the last threads write and read past the end of the array. LDS has no guard: whatever the
// compiler placed behind it is overwritten. The twin makes the tile two elements longer on each
// side.
// RUN: --kernel window5 --grid 1 --block 256 --arg f32[260]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;
#ifndef TWIN
constexpr int kTile = kBlock;
#else
constexpr int kTile = kBlock + 4;
#endif

__global__ void window5(const float* in, float* out) {
  __shared__ float tile[kTile];
  const int tid = threadIdx.x;
  tile[tid] = in[tid];
  if (tid < 4) {
    tile[kBlock + tid] = in[kBlock + tid];  // FAULT: out-of-bounds-shared at
  }
  __syncthreads();
  float sum = 0.0f;
  for (int k = 0; k < 5; ++k) {
    sum += tile[tid + k];  // FAULT: out-of-bounds-shared at
  }
  out[tid] = sum;
}
