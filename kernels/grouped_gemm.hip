// Product of groups of rows, each with a matrix of its own.
//
// Formula   y[i][j] = sum_p x[i][p] * w[e][p][j] for the rows i of group e: offsets[e] <= i <
//           offsets[e + 1]
// Layout    x: rows x k, w: groups x k x n, y: rows x n, float32, row-major, contiguous; offsets:
//           groups + 1 int32, rising from 0 to at most rows. Rows behind the last group are left
//           as they are.
// Grid      one-dimensional: (ceil(rows / 16) + groups) * ceil(n / 64) blocks, enough for any
//           offsets: a block finds its tile by counting the groups' tiles; those left over return.
// Block     256 threads, each computing 4 elements of a row of a 16 x 64 tile, 16 of k at a time.
// Limits    1 <= rows, n <= 2^31 - 64; 0 <= k <= 2^31 - 16; groups <= 1024. k = 0 gives zeros.
// Rounding  each element is one serial sum over p (fused where the compiler contracts); the zeros
//           that pad k come last and change nothing but the sign of a zero sum.

#include <hip/hip_runtime.h>

constexpr int kRows = 16;
constexpr int kColumns = 64;
constexpr int kDepth = 16;
constexpr int kSide = 4;
constexpr int kThreads = kRows * kColumns / kSide;

struct Tiles {
  float x[kRows][kDepth + 1];  // an odd row length spreads the banks
  alignas(16) float w[kDepth][kColumns];
};

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
    const int tiles = (end - begin + kRows - 1) / kRows;
    if (tile < tiles) return {group, begin + tile * kRows, end};
    tile -= tiles;
    begin = end;
  }
  return {-1, 0, 0};
}

extern "C" __global__ __launch_bounds__(kThreads) void grouped_gemm(const float* x, const float* w,
                                                                    const int* offsets, float* y,
                                                                    int groups, int n, int k) {
  __shared__ Tiles tiles;
  const int across = (n - 1) / kColumns + 1;
  const Place place = place_of(offsets, groups, blockIdx.x / across);
  if (place.group < 0) return;  // the whole block
  const int column = blockIdx.x % across * kColumns;
  const int i = threadIdx.x / (kColumns / kSide);
  const int j = threadIdx.x % (kColumns / kSide) * kSide;
  const float* matrix = w + static_cast<size_t>(place.group) * k * n;

  float sums[kSide] = {};
  for (int depth = 0; depth < k; depth += kDepth) {
    const int p = threadIdx.x % kDepth;
    const int r = threadIdx.x / kDepth;
    const bool inside = place.row + r < place.end && depth + p < k;
    tiles.x[r][p] = inside ? x[static_cast<size_t>(place.row + r) * k + depth + p] : 0.0f;
    for (int q = threadIdx.x / kColumns; q < kDepth; q += kThreads / kColumns) {
      const int c = threadIdx.x % kColumns;
      const bool within = depth + q < k && column + c < n;
      tiles.w[q][c] = within ? matrix[static_cast<size_t>(depth + q) * n + column + c] : 0.0f;
    }
    __syncthreads();
    for (int q = 0; q < kDepth; ++q) {
      const float4 right = *reinterpret_cast<const float4*>(&tiles.w[q][j]);
      const float left = tiles.x[i][q];
      sums[0] += left * right.x;
      sums[1] += left * right.y;
      sums[2] += left * right.z;
      sums[3] += left * right.w;
    }
    __syncthreads();
  }

  if (place.row + i >= place.end) return;
  float* to = y + static_cast<size_t>(place.row + i) * n + column + j;
  for (int c = 0; c < kSide && column + j + c < n; ++c) to[c] = sums[c];
}
