// A residual connection and the norm that follows it, in one pass over memory.
//
// Formula   s[r][c] = x[r][c] + residual[r][c]
//           y[r][c] = s[r][c] * rsqrt(mean_j s[r][j]^2 + epsilon) * weight[c]
// Layout    x, residual, y, s: rows x columns, float32, row-major, contiguous; weight: columns. s
//           may be x or residual, y may be x; y and s differ.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    as rms_norm.hip's, for s.
// Rounding  the norm is that of s as it was rounded to float32; then as rms_norm.hip.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

extern "C" __global__ __launch_bounds__(1024) void residual_rms_norm(const float* x,
                                                                     const float* residual,
                                                                     const float* weight, float* y,
                                                                     float* s, int columns,
                                                                     float epsilon) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;

  float squares = 0.0f;
  for (int i = first; i < columns; i += stride) {
    const float sum = x[row + i] + residual[row + i];
    s[row + i] = sum;
    squares += sum * sum;
  }
  squares = block_reduce::over_block(squares, block_reduce::Sum{}, scratch);

  const float scale = rsqrtf(squares / static_cast<float>(columns) + epsilon);
  for (int i = first; i < columns; i += stride) y[row + i] = s[row + i] * scale * weight[i];
}
