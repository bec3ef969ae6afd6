// Product of groups of rows, each with a matrix of its own.
//
// Formula   y[i][j] = sum_p x[i][p] * w[e][p][j] for the rows i of group e: offsets[e] <= i <
//           offsets[e + 1]
// Layout    x: rows x k, w: groups x k x n, y: rows x n, float32, row-major, contiguous; offsets:
//           groups + 1 int32, rising from 0 to at most rows. Rows behind the last group are left
//           as they are.
// Grid      one-dimensional: (ceil(rows / 16) + groups) * ceil(n / 64) blocks, enough for any
//           offsets: a block finds its tile by counting the groups' tiles; those left over return.
// Block     256 threads, see include/row_tile.h.
// Limits    1 <= rows, n <= 2^31 - 64; 0 <= k <= 2^31 - 16; groups <= 1024. k = 0 gives zeros.
// Rounding  one serial sum an element: include/row_tile.h.

#include <hip/hip_runtime.h>

#include "include/row_tile.h"

// Where a tile's rows begin and its group's end; none when no group has that many tiles.
struct Place {
  int group;
  int row;
  int end;
};

__device__ Place place_of(const int* offsets, int groups, int tile) {
  int begin = offsets[0];
  for (int group = 0; group < groups; ++group) {
    const int end = offsets[group + 1];
    const int tiles = (end - begin + row_tile::kRows - 1) / row_tile::kRows;
    if (tile < tiles) return {group, begin + tile * row_tile::kRows, end};
    tile -= tiles;
    begin = end;
  }
  return {-1, 0, 0};
}

extern "C" __global__ __launch_bounds__(row_tile::kThreads) void grouped_gemm(
    const float* x, const float* w, const int* offsets, float* y, int groups, int n, int k) {
  __shared__ row_tile::Tiles tiles;
  const int across = (n - 1) / row_tile::kColumns + 1;
  const Place place = place_of(offsets, groups, blockIdx.x / across);
  if (place.group < 0) return;  // the whole block
  const int column = blockIdx.x % across * row_tile::kColumns;
  const float* rows = x + static_cast<size_t>(place.row) * k;
  const float* matrix = w + static_cast<size_t>(place.group) * k * n;

  float sums[row_tile::kSide] = {};
  row_tile::multiply(
      tiles, k,
      [&](int r, int p) {
        const bool inside = place.row + r < place.end && p < k;
        return inside ? rows[static_cast<size_t>(r) * k + p] : 0.0f;
      },
      [&](int p, int c) {
        const bool inside = p < k && column + c < n;
        return inside ? matrix[static_cast<size_t>(p) * n + column + c] : 0.0f;
      },
      sums);

  const int row = place.row + row_tile::own_row();
  if (row >= place.end) return;
  for (int c = 0; c < row_tile::kSide; ++c) {
    const int to = column + row_tile::own_column() + c;
    if (to < n) y[static_cast<size_t>(row) * n + to] = sums[c];
  }
}
