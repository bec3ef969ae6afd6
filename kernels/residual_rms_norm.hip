// A residual connection and the norm that follows it, in one pass over memory.
//
// Formula   s[r][c] = x[r][c] + residual[r][c]
//           y[r][c] = s[r][c] * rsqrt(mean_j s[r][j]^2 + epsilon) * weight[c]
// Layout    x, residual, y, s: rows x columns, float32, fp16 or bfloat16, row-major, contiguous;
// weight: columns. s
//           may be x or residual, y may be x; y and s differ.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    as rms_norm.hip's, for s.
// Rounding  the norm is that of s as it was rounded to its format; then as rms_norm.hip.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

template <class Element>
__device__ void residual_rms_norm_of(const Element* x, const Element* residual,
                                     const Element* weight, Element* y, Element* s, int columns,
                                     float epsilon) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;

  float squares = 0.0f;
  for (int i = first; i < columns; i += stride) {
    lanes8::store(s + row + i, lanes8::widen(x[row + i]) + lanes8::widen(residual[row + i]));
    const float sum = lanes8::widen(s[row + i]);
    squares += sum * sum;
  }
  squares = block_reduce::over_block(squares, block_reduce::Sum{}, scratch);

  const float scale = rsqrtf(squares / static_cast<float>(columns) + epsilon);
  for (int i = first; i < columns; i += stride) {
    lanes8::store(y + row + i, lanes8::widen(s[row + i]) * scale * lanes8::widen(weight[i]));
  }
}

extern "C" __global__ __launch_bounds__(1024) void residual_rms_norm(const float* x,
                                                                     const float* residual,
                                                                     const float* weight, float* y,
                                                                     float* s, int columns,
                                                                     float epsilon) {
  residual_rms_norm_of(x, residual, weight, y, s, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void residual_rms_norm_f16(
    const __half* x, const __half* residual, const __half* weight, __half* y, __half* s,
    int columns, float epsilon) {
  residual_rms_norm_of(x, residual, weight, y, s, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void residual_rms_norm_bf16(
    const __hip_bfloat16* x, const __hip_bfloat16* residual, const __hip_bfloat16* weight,
    __hip_bfloat16* y, __hip_bfloat16* s, int columns, float epsilon) {
  residual_rms_norm_of(x, residual, weight, y, s, columns, epsilon);
}
