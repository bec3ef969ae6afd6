// Softmax of each row of a matrix.
//
// Formula   y[r][c] = exp(x[r][c] - m_r) / sum_j exp(x[r][j] - m_r), m_r = max_j x[r][j]
// Layout    x and y: rows x columns, float32, row-major, contiguous; y may be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Policy    -inf is a masked element and gives 0, in a row that is masked altogether as well; a NaN
//           or a +inf makes its whole row NaN.
// Rounding  each thread adds its elements serially, ceil(columns / blockDim.x) of them, then
//           block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

extern "C" __global__ __launch_bounds__(1024) void softmax(const float* x, float* y, int columns) {
  __shared__ float scratch[2][block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  float* to = y + static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;

  float high = block_reduce::Max::identity;
  for (int i = first; i < columns; i += stride) high = fmaxf(high, from[i]);
  high = block_reduce::over_block(high, block_reduce::Max{}, scratch[0]);

  // A row without a finite maximum is masked: exp(-inf - 0) is the 0 it shall have. (A NaN, which
  // fmaxf passes over, comes back through the sum.)
  if (high == block_reduce::Max::identity) high = 0.0f;

  // The exponentials wait in y for their divisor.
  float sum = 0.0f;
  for (int i = first; i < columns; i += stride) {
    const float power = expf(from[i] - high);
    to[i] = power;
    sum += power;
  }
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch[1]);

  if (sum == 0.0f) return;
  for (int i = first; i < columns; i += stride) to[i] /= sum;
}
