// Tiled matrix product without the barrier after the inner product: a wave that is done loads the
// next tile over the one that other waves still read. The most common of all missing barriers,
// since small matrices (one tile) never show it. The twin has it.
// RUN: --kernel matmul --grid 2,2 --block 16,16 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[1024]=uniform(-1,1) --arg f32[1024]=uninit --arg i32=32
#include <hip/hip_runtime.h>

constexpr int kTile = 16;

__global__ void matmul(const float* a, const float* b, float* c, int n) {
  __shared__ float tile_a[kTile][kTile];
  __shared__ float tile_b[kTile][kTile];
  const int x = threadIdx.x;
  const int y = threadIdx.y;
  const int row = blockIdx.y * kTile + y;
  const int column = blockIdx.x * kTile + x;
  float sum = 0.0f;
  for (int k0 = 0; k0 < n; k0 += kTile) {
    tile_a[y][x] = a[row * n + k0 + x];       // FAULT: race-shared write
    tile_b[y][x] = b[(k0 + y) * n + column];  // FAULT: race-shared write
    __syncthreads();
    for (int k = 0; k < kTile; ++k) {
      sum += tile_a[y][k] * tile_b[k][x];  // FAULT: race-shared other
    }
#ifdef TWIN
    __syncthreads();
#endif
  }
  c[row * n + column] = sum;
}
