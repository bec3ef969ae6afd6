// Transpose of a matrix through a tile in shared memory, so that both sides are read and written by
// rows.
//
// Formula   y[j][i] = x[i][j]
// Layout    x: m x n, y: n x m, float32, row-major, contiguous, not overlapping.
// Grid      one-dimensional, ceil(m / 32) * ceil(n / 32) blocks.
// Block     256 threads: 8 rows of 32, four times over a tile of 32 x 32.
// Limits    1 <= m, n <= 2^31 - 32; fewer than 2^24 tiles.

#include <hip/hip_runtime.h>

constexpr int kTile = 32;
constexpr int kRows = 8;  // rows of a tile that the block's threads cover at once

extern "C" __global__ __launch_bounds__(kTile* kRows) void transpose(const float* x, float* y,
                                                                     int m, int n) {
  __shared__ float tile[kTile][kTile + 1];  // one more: a column's elements lie in different banks
  const int tiles_across = (n - 1) / kTile + 1;
  const int row = blockIdx.x / tiles_across * kTile;
  const int column = blockIdx.x % tiles_across * kTile;
  const int lane = threadIdx.x % kTile;

  for (int i = threadIdx.x / kTile; i < kTile; i += kRows) {
    const bool inside = row + i < m && column + lane < n;
    if (inside) tile[i][lane] = x[static_cast<size_t>(row + i) * n + column + lane];
  }
  __syncthreads();
  for (int j = threadIdx.x / kTile; j < kTile; j += kRows) {
    const bool inside = column + j < n && row + lane < m;
    if (inside) y[static_cast<size_t>(column + j) * m + row + lane] = tile[lane][j];
  }
}
