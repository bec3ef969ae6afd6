// Tiled transpose of a matrix whose height is no multiple of the tile: the load guards the columns
// and forgets the rows, so the last row of tiles reads past the end of the matrix. The stores are
// guarded, so the result is right and no numeric test can see it. The twin guards both.
// RUN: --kernel transpose --grid 2,4 --block 32,8 --arg f32[6400]=uniform(-1,1)
// RUN: --arg f32[6400]=uninit --arg i32=100 --arg i32=64
#include <hip/hip_runtime.h>

constexpr int kTile = 32;

__global__ void transpose(const float* in, float* out, int rows, int columns) {
  __shared__ float tile[kTile][kTile + 1];
  const int column = blockIdx.x * kTile + threadIdx.x;
  for (int j = threadIdx.y; j < kTile; j += blockDim.y) {
    const int row = blockIdx.y * kTile + j;
#ifndef TWIN
    const bool inside = column < columns;
#else
    const bool inside = column < columns && row < rows;
#endif
    if (inside)
      tile[j][threadIdx.x] = in[row * columns + column];  // FAULT: out-of-bounds-global at
  }
  __syncthreads();
  const int out_column = blockIdx.y * kTile + threadIdx.x;
  for (int j = threadIdx.y; j < kTile; j += blockDim.y) {
    const int out_row = blockIdx.x * kTile + j;
    if (out_column < rows && out_row < columns) {
      out[out_row * rows + out_column] = tile[threadIdx.x][j];
    }
  }
}
