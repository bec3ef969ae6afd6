// Transpose of matrices through a tile in shared memory, so that both sides are read and written by
// rows.
//
// Formula   y[b][j][i] = x[b][i][j]
// Layout    x: batch x m x n, y: batch x n x m, elements of 32 or 16 bits, row-major, contiguous,
// not
//           overlapping.
// Grid      x: ceil(m / 32) * ceil(n / 32) blocks; y: batch.
// Block     256 threads: 8 rows of 32, four times over a tile of 32 x 32.
// Limits    1 <= m, n <= 2^31 - 32; fewer than 2^24 tiles; batches up to 65,535.

#include <hip/hip_runtime.h>

constexpr int kTile = 32;
constexpr int kRows = 8;  // rows of a tile that the block's threads cover at once

template <class Element>
__device__ void transpose_tile(const Element* x, Element* y, int m, int n) {
  __shared__ Element
      tile[kTile][kTile + 1];  // one more: a column's elements lie in different banks
  const int tiles_across = (n - 1) / kTile + 1;
  const int row = blockIdx.x / tiles_across * kTile;
  const int column = blockIdx.x % tiles_across * kTile;
  const int lane = threadIdx.x % kTile;
  const size_t matrix = static_cast<size_t>(blockIdx.y) * m * n;

  for (int i = threadIdx.x / kTile; i < kTile; i += kRows) {
    const bool inside = row + i < m && column + lane < n;
    if (inside) tile[i][lane] = x[matrix + static_cast<size_t>(row + i) * n + column + lane];
  }
  __syncthreads();
  for (int j = threadIdx.x / kTile; j < kTile; j += kRows) {
    const bool inside = column + j < n && row + lane < m;
    if (inside) y[matrix + static_cast<size_t>(column + j) * m + row + lane] = tile[lane][j];
  }
}

extern "C" __global__ __launch_bounds__(kTile* kRows) void transpose(const unsigned int* x,
                                                                     unsigned int* y, int m,
                                                                     int n) {
  transpose_tile(x, y, m, n);
}

extern "C" __global__ __launch_bounds__(kTile* kRows) void transpose_16(const unsigned short* x,
                                                                        unsigned short* y, int m,
                                                                        int n) {
  transpose_tile(x, y, m, n);
}
