// Probabilities of the tokens that filters kept, summing to 1.
//
// Formula   y[r][c] = x[r][c] / sum of the kept x[r][j] where kept, else 0
// Layout    x and y: rows x columns, float32, row-major, contiguous; kept: likewise, bytes; y may
// be
//           x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Policy    an empty set, or one whose sum is 0, is a row of 0.
// Rounding  each thread adds its elements serially, ceil(columns / blockDim.x) of them, then
//           block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

extern "C" __global__ __launch_bounds__(1024) void renormalise(const float* x,
                                                               const unsigned char* kept, float* y,
                                                               int columns) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    if (kept[row + i] != 0) sum += x[row + i];
  }
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch);
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    y[row + i] = kept[row + i] != 0 && sum != 0.0f ? x[row + i] / sum : 0.0f;
  }
}
