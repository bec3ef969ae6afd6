// Products with a quantised matrix: kRows vectors at a time, so that a weight is decoded once for
// all of them.
//
// Formula   y[i][r] = sum_p x[i][p] * w[r][p], w the matrix that the blocks stand for
// Layout    blocks: rows x row_blocks, row-major; x: m x columns, y: m x rows, float32, row-major,
//           columns = row_blocks * F::kElements.
// Grid      x: ceil(rows / (kThreads / lanes)) blocks, y: ceil(m / kRows).
// Block     kThreads threads; `lanes` of them, a power of two up to kThreads, share a row of w:
// they
//           take its runs of 32 values in turn.
// Limits    rows, columns and m below 2^31.
// Rounding  w is rounded as dequantisation rounds it. A thread adds every eighth product of its
//           runs to one of eight sums (fused where the compiler contracts), the eight meet in a
//           tree, then the lanes' parts follow serially: height
//           4 ceil(columns / 32 / lanes) + 3 + lanes - 1.
#pragma once

#include <hip/hip_runtime.h>

namespace quantised {

constexpr int kThreads = 256;
constexpr int kUnit = 32;  // consecutive values that a lane takes at a time
constexpr int kRun = 16;   // values decoded at once
constexpr int kSums = 8;   // independent sums hide the latency of an addition

// Four values at once, at any float's address.
using Quad = float __attribute__((ext_vector_type(4), aligned(4)));

struct Product {
  const float* x;
  float* y;
  int m;
  int rows;
  int row_blocks;
  int lanes;
};

// Adds a unit of one row of w, at `column`, times kRows rows of x to the sums.
template <class Format, int kRows>
__device__ void multiply_unit(const typename Format::Block* row, const float* const (&x)[kRows],
                              size_t column, float (&sums)[kRows][kSums]) {
  const typename Format::Block& block = row[column / Format::kElements];
  const int inside = column % Format::kElements;
#pragma unroll
  for (int first = 0; first < kUnit; first += kRun) {
    float values[kRun];
    Format::decode(block, inside + first, values);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const Quad* with = reinterpret_cast<const Quad*>(x[i] + column + first);
#pragma unroll
      for (int j = 0; j < kRun; ++j) sums[i][j % kSums] += values[j] * with[j / 4][j % 4];
    }
  }
}

template <class Format, int kRows>
__device__ void multiply(const typename Format::Block* blocks, const Product& p) {
  __shared__ float parts[kRows][kThreads];
  const int row = blockIdx.x * (kThreads / p.lanes) + threadIdx.x / p.lanes;
  const int lane = threadIdx.x % p.lanes;
  const int first = blockIdx.y * kRows;
  const int columns = p.row_blocks * Format::kElements;

  float sums[kRows][kSums] = {};
  if (row < p.rows) {
    const float* x[kRows];
    // Rows past the last one repeat it: their sums are not stored.
    for (int i = 0; i < kRows; ++i)
      x[i] = p.x + static_cast<size_t>(min(first + i, p.m - 1)) * columns;
    const typename Format::Block* from = blocks + static_cast<size_t>(row) * p.row_blocks;
    for (int column = lane * kUnit; column < columns; column += p.lanes * kUnit) {
      multiply_unit<Format>(from, x, column, sums);
    }
  }
  for (int i = 0; i < kRows; ++i) {
    const float (&s)[kSums] = sums[i];
    parts[i][threadIdx.x] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  }
  __syncthreads();

  if (lane != 0 || row >= p.rows) return;
  for (int i = 0; i < kRows && first + i < p.m; ++i) {
    float sum = parts[i][threadIdx.x];
    for (int l = 1; l < p.lanes; ++l) sum += parts[i][threadIdx.x + l];
    p.y[static_cast<size_t>(first + i) * p.rows + row] = sum;
  }
}

}  // namespace quantised
