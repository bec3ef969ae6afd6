// Product of groups of rows, each with a matrix of its own.
//
// Formula   y[i][j] = sum_p x[i][p] * w[e][p][j] for the rows i of group e
// Layout    x: rows x k, y: rows x n, float32; w: groups x k x n of float32, fp16 or bfloat16, or
//           groups x n x k where by_rows is not 0; row-major, contiguous; offsets:
//           include/groups.h. Rows behind the last group are left as they are.
// Grid      one-dimensional: min(rows, ceil(rows / 16) + groups) * ceil(n / 64) blocks, enough for
//           any offsets: a block finds its tile by counting the groups' tiles; those left over
//           return. Block: 256 threads, see include/row_tile.h.
// Limits    1 <= rows, n <= 2^31 - 64; 0 <= k <= 2^31 - 16; groups <= 1024. k = 0 gives zeros.
// Rounding  one serial sum an element: include/row_tile.h.

#include <hip/hip_runtime.h>

#include "include/groups.h"
#include "include/lanes8.h"
#include "include/row_tile.h"

struct Problem {
  const int* offsets;
  int groups;
  int n;
  int k;
};

template <bool kByRows, class Element>
__device__ void multiply(row_tile::Tiles& tiles, const float* x, const Element* w, float* y,
                         const Problem& problem) {
  const int n = problem.n;
  const int k = problem.k;
  const int across = (n - 1) / row_tile::kColumns + 1;
  const groups::Place place = groups::place_of(problem.offsets, problem.groups, row_tile::kRows,
                                               static_cast<int>(blockIdx.x) / across);
  if (place.group < 0) return;  // the whole block
  const int column = blockIdx.x % across * row_tile::kColumns;
  const float* rows = x + static_cast<size_t>(place.row) * k;
  const Element* matrix = w + static_cast<size_t>(place.group) * k * n;

  float sums[row_tile::kSide] = {};
  row_tile::multiply<kByRows>(
      tiles, k,
      [&](int r, int p) {
        const bool inside = place.row + r < place.end && p < k;
        return inside ? rows[static_cast<size_t>(r) * k + p] : 0.0f;
      },
      [&](int p, int c) {
        const int j = column + c;
        const size_t at = kByRows ? static_cast<size_t>(j) * k + p : static_cast<size_t>(p) * n + j;
        return p < k && j < n ? lanes8::widen(matrix[at]) : 0.0f;
      },
      sums);

  const int row = place.row + row_tile::own_row();
  if (row >= place.end) return;
  for (int c = 0; c < row_tile::kSide; ++c) {
    const int to = column + row_tile::own_column() + c;
    if (to < n) y[static_cast<size_t>(row) * n + to] = sums[c];
  }
}

template <class Element>
__device__ void multiply(const float* x, const Element* w, float* y, const Problem& problem,
                         int by_rows) {
  __shared__ row_tile::Tiles tiles;
  if (by_rows != 0) {
    multiply<true>(tiles, x, w, y, problem);
  } else {
    multiply<false>(tiles, x, w, y, problem);
  }
}

extern "C" __global__ __launch_bounds__(row_tile::kThreads) void grouped_gemm(
    const float* x, const float* w, const int* offsets, float* y, int groups, int n, int k,
    int by_rows) {
  multiply(x, w, y, {offsets, groups, n, k}, by_rows);
}

extern "C" __global__ __launch_bounds__(row_tile::kThreads) void grouped_gemm_f16(
    const float* x, const __half* w, const int* offsets, float* y, int groups, int n, int k,
    int by_rows) {
  multiply(x, w, y, {offsets, groups, n, k}, by_rows);
}

extern "C" __global__ __launch_bounds__(row_tile::kThreads) void grouped_gemm_bf16(
    const float* x, const __hip_bfloat16* w, const int* offsets, float* y, int groups, int n, int k,
    int by_rows) {
  multiply(x, w, y, {offsets, groups, n, k}, by_rows);
}
