// Matrix product in float32, tiled through shared memory.
//
// Formula   c[i][j] = sum_p a[i][p] * b[p][j]
// Layout    a: m x k, b: k x n, c: m x n, float32, row-major, contiguous; c must not overlap a or
//           b.
// Grid      one-dimensional, ceil(m / 64) * ceil(n / 64) blocks; tiles of one row of tiles are
//           neighbours. A one-dimensional grid because y and z are limited to 65,535 blocks, 4.2
//           million rows.
// Block     256 threads, 16 x 16 of them, each computing 4 x 4 elements of a 64 x 64 tile, 16 of k
//           at a time.
// Limits    1 <= m, n <= 2^31 - 64, 0 <= k <= 2^31 - 16; fewer than 2^24 tiles. k = 0 gives zeros.
// Rounding  each element is one serial sum over p (fused where the compiler contracts); the zeros
//           that pad k to a multiple of 16 come last and change nothing but the sign of a zero sum.

#include <hip/hip_runtime.h>

constexpr int kTile = 64;
constexpr int kDepth = 16;
constexpr int kSide = 4;  // elements a thread computes, in either direction
constexpr int kThreads = (kTile / kSide) * (kTile / kSide);
constexpr int kRow = kTile + 4;  // rows 4 floats apart keep Lanes aligned and spread the banks

using Lanes = float __attribute__((ext_vector_type(kSide)));

// Both operands lie with k outermost, so that a thread reads its 4 rows of a at once.
struct Tiles {
  alignas(16) float a[kDepth][kRow];
  alignas(16) float b[kDepth][kRow];
};

// Copies a's rows row.. and columns depth.., transposed; elements outside a become 0.
__device__ void load_a(Tiles& tiles, const float* a, int m, int k, int row, int depth) {
  const int p = threadIdx.x % kDepth;
  for (int i = threadIdx.x / kDepth; i < kTile; i += kThreads / kDepth) {
    const bool inside = row + i < m && depth + p < k;
    tiles.a[p][i] = inside ? a[static_cast<size_t>(row + i) * k + depth + p] : 0.0f;
  }
}

// Copies b's rows depth.. and columns column..; elements outside b become 0.
__device__ void load_b(Tiles& tiles, const float* b, int n, int k, int column, int depth) {
  const int j = threadIdx.x % kTile;
  for (int p = threadIdx.x / kTile; p < kDepth; p += kThreads / kTile) {
    const bool inside = column + j < n && depth + p < k;
    tiles.b[p][j] = inside ? b[static_cast<size_t>(depth + p) * n + column + j] : 0.0f;
  }
}

// Adds one depth's products to the thread's 4 x 4 sums; (i, j) is its corner in the tile.
__device__ void multiply(const Tiles& tiles, int i, int j, Lanes (&sums)[kSide]) {
#pragma unroll 4
  for (int p = 0; p < kDepth; ++p) {
    const Lanes rows = *reinterpret_cast<const Lanes*>(&tiles.a[p][i]);
    const Lanes columns = *reinterpret_cast<const Lanes*>(&tiles.b[p][j]);
    for (int y = 0; y < kSide; ++y) sums[y] += rows[y] * columns;
  }
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_f32_tiled(const float* a,
                                                                      const float* b, float* c,
                                                                      int m, int n, int k) {
  __shared__ Tiles tiles;
  const int tiles_across = (n - 1) / kTile + 1;
  const int row = blockIdx.x / tiles_across * kTile;
  const int column = blockIdx.x % tiles_across * kTile;
  const int i = threadIdx.x / (kTile / kSide) * kSide;
  const int j = threadIdx.x % (kTile / kSide) * kSide;

  Lanes sums[kSide] = {};
  for (int depth = 0; depth < k; depth += kDepth) {
    load_a(tiles, a, m, k, row, depth);
    load_b(tiles, b, n, k, column, depth);
    __syncthreads();
    multiply(tiles, i, j, sums);
    __syncthreads();
  }

  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const bool inside = row + i + y < m && column + j + x < n;
      if (inside) c[static_cast<size_t>(row + i + y) * n + column + j + x] = sums[y][x];
    }
  }
}
