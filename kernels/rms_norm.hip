// Root-mean-square normalisation of each row of a matrix, with a weight for each column.
//
// Formula   y[r][c] = x[r][c] * rsqrt(mean_j x[r][j]^2 + epsilon) * weight[c]
// Layout    x and y: rows x columns, float32, fp16 or bfloat16, row-major, contiguous; weight:
//           columns; y may be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30; epsilon a normal number > 0; sum_j x[r][j]^2 must not overflow
//           float32 (|x| < 1.8e19 / sqrt(columns) is enough), else the row becomes 0 (or NaN where
//           x is infinite).
// Rounding  in float32; the result is rounded once to its format. Each thread adds its squares
//           serially (fused where the compiler contracts), ceil(columns / blockDim.x) of them,
//           then block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

template <class Element>
__device__ void rms_norm_of(const Element* x, const Element* weight, Element* y, int columns,
                            float epsilon) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const Element* from = x + static_cast<size_t>(blockIdx.x) * columns;
  Element* to = y + static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;

  float squares = 0.0f;
  for (int i = first; i < columns; i += stride) {
    const float value = lanes8::widen(from[i]);
    squares += value * value;
  }
  squares = block_reduce::over_block(squares, block_reduce::Sum{}, scratch);

  const float scale = rsqrtf(squares / static_cast<float>(columns) + epsilon);
  for (int i = first; i < columns; i += stride) {
    lanes8::store(to + i, lanes8::widen(from[i]) * scale * lanes8::widen(weight[i]));
  }
}

extern "C" __global__ __launch_bounds__(1024) void rms_norm(const float* x, const float* weight,
                                                            float* y, int columns, float epsilon) {
  rms_norm_of(x, weight, y, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void rms_norm_f16(const __half* x,
                                                                const __half* weight, __half* y,
                                                                int columns, float epsilon) {
  rms_norm_of(x, weight, y, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void rms_norm_bf16(const __hip_bfloat16* x,
                                                                 const __hip_bfloat16* weight,
                                                                 __hip_bfloat16* y, int columns,
                                                                 float epsilon) {
  rms_norm_of(x, weight, y, columns, epsilon);
}
