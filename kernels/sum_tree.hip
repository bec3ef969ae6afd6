// Sum of each row by a block: short serial sums, then a tree.
//
// Formula   y[r] = sum_j x[r][j]
// Layout    x: rows x columns, float32, row-major, contiguous; y: rows.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Rounding  each thread adds its elements serially, ceil(columns / blockDim.x) of them, then
//           block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

extern "C" __global__ __launch_bounds__(1024) void sum_tree(const float* x, float* y, int columns) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += from[i];
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
