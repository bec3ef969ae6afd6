// Horizontal difference in a two-dimensional tile: the last column reads tile[y][16], which is not
// beside the tile but the first element of the next row. The address is inside the variable, so
// only a check of the inner dimension sees it; the answer is wrong. The twin wraps inside the row.
// RUN: --kernel difference --grid 1 --block 16,15 --arg f32[240]=uniform(-1,1)
// RUN: --arg f32[240]=uninit
#include <hip/hip_runtime.h>

constexpr int kTile = 16;

__global__ void difference(const float* in, float* out) {
  __shared__ float tile[kTile][kTile];
  const int x = threadIdx.x;
  const int y = threadIdx.y;
  tile[y][x] = in[y * kTile + x];
  if (y == 0) tile[kTile - 1][x] = 0.0f;
  __syncthreads();
#ifndef TWIN
  const int right = x + 1;
#else
  const int right = (x + 1) % kTile;
#endif
  out[y * kTile + x] = tile[y][right] - tile[y][x];  // FAULT: out-of-bounds-shared at
}
