// Transpose through a tile with a padding column that nobody writes and nobody reads, of a matrix
// whose sides are no multiples of the tile.
// RUN: --kernel transpose --grid 3,4 --block 32,8 --arg f32[7000]=uniform(-1,1)
// RUN: --arg f32[7000]=uninit --arg i32=100 --arg i32=70
#include <hip/hip_runtime.h>

constexpr int kTile = 32;

__global__ void transpose(const float* in, float* out, int rows, int columns) {
  __shared__ float tile[kTile][kTile + 1];
  const int column = blockIdx.x * kTile + threadIdx.x;
  for (int j = threadIdx.y; j < kTile; j += blockDim.y) {
    const int row = blockIdx.y * kTile + j;
    if (row < rows && column < columns) tile[j][threadIdx.x] = in[row * columns + column];
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
