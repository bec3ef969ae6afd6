// Matrix products, batched, of stored formats with float32 sums, tiled through shared memory.
//
// Formula   c[b] = alpha op(a[b]) op(b[b]) + beta c[b]; op is the matrix or its transpose. With
//           beta = 0, c is not read.
// Layout    op(a): m x k, op(b): k x n, c: m x n, row-major, contiguous; a transposed operand is
//           stored as k x m or n x k. Batches lie a_step and b_step elements apart (0: the same for
//           all), those of c m * n. c overlaps neither a nor b. partials: batch x splits x m x n
//           float32, written instead of c when the depth is split, for gemm_combine.hip.
// Formats   a, b, c: all float32, all fp16, all bfloat16; or b alone fp16 or bfloat16.
// Grid      x: ceil(m / 64) * ceil(n / 64) tiles, those of one row of tiles neighbours; y: splits
// of
//           k; z: batch. Block: 64 threads, each computing 8 x 8 elements of a 64 x 64 tile, 16 of
//           k at a time.
// Limits    1 <= m, n <= 2^31 - 64, 0 <= k <= 2^31 - 128; fewer than 2^26 tiles; splits and batches
//           up to 65,535. k = 0 gives beta c. Operands whose rows do not all begin at multiples of
//           16 bytes are read element by element.
// Rounding  each element of a split is one serial sum over its part of k (fused where the compiler
//           contracts); the zeros that pad k come last and change nothing but the sign of a zero.

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

constexpr int kTile = 64;
constexpr int kDepth = 16;
constexpr int kSide = lanes8::kWidth;  // elements a thread computes, in either direction
constexpr int kAcross = kTile / kSide;
constexpr int kThreads = kAcross * kAcross;
constexpr int kRow = kTile + 4;  // rows 4 floats apart keep vectors aligned and spread the banks

// A panel of 64 rows (of op(a)) or columns (of op(b)), 16 deep, with the depth outermost.
using Panel = float[kDepth][kRow];

// An operand of a product, seen as `sides` (rows or columns) by k.
template <class Element>
struct Operand {
  const Element* from;
  int sides;
  int k;
  bool by_depth;  // whether the depth's elements are neighbours, else the sides'
  bool vectors;   // whether every row begins at a multiple of 16 bytes

  __device__ Operand(const Element* from, size_t step, int sides, int k, bool by_depth)
      : from(from + blockIdx.z * step),
        sides(sides),
        k(k),
        by_depth(by_depth),
        vectors(lanes8::aligned(this->from) &&
                (by_depth ? k : sides) * sizeof(Element) % lanes8::kAlignment == 0) {}

  // Eight neighbours from (side, depth) on; what lies beyond side_end or depth_end is 0.
  __device__ lanes8::Floats eight(int side, int depth, int depth_end) const {
    const int left = by_depth ? depth_end - depth : sides - side;
    const bool inside = side < sides && depth < depth_end;
    const size_t row = by_depth ? side : depth;
    const Element* at = from + row * (by_depth ? k : sides) + (by_depth ? depth : side);
    if (inside && vectors && left >= lanes8::kWidth) return lanes8::load(at);
    return inside ? lanes8::load_some(at, left) : lanes8::Floats{};
  }

  // The block's copying of a panel: 128 runs of eight.
  __device__ void copy(Panel& panel, int side, int depth, int depth_end) const {
    constexpr int kRuns = kTile * kDepth / lanes8::kWidth;
    for (int run = threadIdx.x; run < kRuns; run += kThreads) {
      if (by_depth) {
        const int i = run % kTile;
        const int p = run / kTile * lanes8::kWidth;
        const lanes8::Floats values = eight(side + i, depth + p, depth_end);
        for (int j = 0; j < lanes8::kWidth; ++j) panel[p + j][i] = values[j];
      } else {
        const int i = run % kAcross * lanes8::kWidth;
        const int p = run / kAcross;
        const lanes8::Floats values = eight(side + i, depth + p, depth_end);
        for (int j = 0; j < lanes8::kWidth; ++j) panel[p][i + j] = values[j];
      }
    }
  }
};

struct Problem {
  int m;
  int n;
  int k;
  float alpha;
  float beta;
};

// Adds one depth's products to the thread's sums; (i, j) is its corner in the tile.
__device__ void multiply(const Panel& a, const Panel& b, int i, int j,
                         lanes8::Floats (&sums)[kSide]) {
  for (int p = 0; p < kDepth; ++p) {
    const lanes8::Floats columns = lanes8::load(&b[p][j]);
    const lanes8::Floats rows = lanes8::load(&a[p][i]);
#pragma unroll
    for (int y = 0; y < kSide; ++y) sums[y] += rows[y] * columns;
  }
}

// Stores the thread's sums: as a split's part, or scaled and added to c.
template <class Element>
__device__ void store_tile(const lanes8::Floats (&sums)[kSide], int row, int column,
                           const Problem& problem, Element* c, float* partials) {
  const size_t elements = static_cast<size_t>(problem.m) * problem.n;
  const bool split = gridDim.y > 1;
  float* part = partials + (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * elements;
  Element* to = c + blockIdx.z * elements;
#pragma unroll
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (row + y >= problem.m || column + x >= problem.n) continue;
      const size_t at = static_cast<size_t>(row + y) * problem.n + column + x;
      if (split) {
        part[at] = sums[y][x];
        continue;
      }
      const float product = problem.alpha * sums[y][x];
      const float before = problem.beta == 0.0f ? 0.0f : problem.beta * lanes8::widen(to[at]);
      lanes8::store(to + at, product + before);
    }
  }
}

template <class Left, class Right, class Element>
__device__ void gemm(const Left* a, const Right* b, Element* c, float* partials,
                     const Problem& problem, int transposed, size_t a_step, size_t b_step) {
  __shared__ Panel left;
  __shared__ Panel right;
  const Operand<Left> rows(a, a_step, problem.m, problem.k, (transposed & 1) == 0);
  const Operand<Right> columns(b, b_step, problem.n, problem.k, (transposed & 2) != 0);
  const int tiles_across = (problem.n - 1) / kTile + 1;
  const int row = blockIdx.x / tiles_across * kTile;
  const int column = blockIdx.x % tiles_across * kTile;
  const int i = threadIdx.x / kAcross * kSide;
  const int j = threadIdx.x % kAcross * kSide;

  // Splits are whole steps of the depth, as evenly as they come.
  const int steps = (problem.k + kDepth - 1) / kDepth;
  const int each = (steps + gridDim.y - 1) / static_cast<int>(gridDim.y);
  const int first = min(static_cast<int>(blockIdx.y) * each, steps) * kDepth;
  const int end = min(problem.k, first + each * kDepth);

  lanes8::Floats sums[kSide] = {};
  for (int depth = first; depth < end; depth += kDepth) {
    rows.copy(left, row, depth, end);
    columns.copy(right, column, depth, end);
    __syncthreads();
    multiply(left, right, i, j, sums);
    __syncthreads();
  }
  store_tile(sums, row + i, column + j, problem, c, partials);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_f32(const float* a, const float* b,
                                                                float* c, float* partials, int m,
                                                                int n, int k, int transposed,
                                                                size_t a_step, size_t b_step,
                                                                float alpha, float beta) {
  gemm(a, b, c, partials, {m, n, k, alpha, beta}, transposed, a_step, b_step);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_f16(const __half* a, const __half* b,
                                                                __half* c, float* partials, int m,
                                                                int n, int k, int transposed,
                                                                size_t a_step, size_t b_step,
                                                                float alpha, float beta) {
  gemm(a, b, c, partials, {m, n, k, alpha, beta}, transposed, a_step, b_step);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_bf16(
    const __hip_bfloat16* a, const __hip_bfloat16* b, __hip_bfloat16* c, float* partials, int m,
    int n, int k, int transposed, size_t a_step, size_t b_step, float alpha, float beta) {
  gemm(a, b, c, partials, {m, n, k, alpha, beta}, transposed, a_step, b_step);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_f32_f16(
    const float* a, const __half* b, float* c, float* partials, int m, int n, int k, int transposed,
    size_t a_step, size_t b_step, float alpha, float beta) {
  gemm(a, b, c, partials, {m, n, k, alpha, beta}, transposed, a_step, b_step);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemm_f32_bf16(
    const float* a, const __hip_bfloat16* b, float* c, float* partials, int m, int n, int k,
    int transposed, size_t a_step, size_t b_step, float alpha, float beta) {
  gemm(a, b, c, partials, {m, n, k, alpha, beta}, transposed, a_step, b_step);
}
