// Layer normalisation of each row of a matrix, with a weight and a bias for each column.
//
// Formula   y[r][c] = (x[r][c] - mean_r) * rsqrt(variance_r + epsilon) * weight[c] + bias[c], with
//           mean_r = mean_j x[r][j] and variance_r = mean_j (x[r][j] - mean_r)^2
// Layout    x and y: rows x columns, float32, fp16 or bfloat16, row-major, contiguous; weight,
// bias: columns; y may
//           be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30; epsilon a normal number > 0; neither sum may overflow float32.
// Rounding  two passes: the variance of the centred row does not cancel, as E x^2 - mean^2 would.
//           In float32; the result is rounded once to its format. Each thread adds serially,
//           ceil(columns / blockDim.x) terms, then block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

template <class Element>
__device__ void layer_norm_of(const Element* x, const Element* weight, const Element* bias,
                              Element* y, int columns, float epsilon) {
  __shared__ float scratch[2][block_reduce::kMostWaves];
  const Element* from = x + static_cast<size_t>(blockIdx.x) * columns;
  Element* to = y + static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;
  const float count = static_cast<float>(columns);

  float total = 0.0f;
  for (int i = first; i < columns; i += stride) total += lanes8::widen(from[i]);
  const float mean = block_reduce::over_block(total, block_reduce::Sum{}, scratch[0]) / count;

  float squares = 0.0f;
  for (int i = first; i < columns; i += stride) {
    const float centred = lanes8::widen(from[i]) - mean;
    squares += centred * centred;
  }
  squares = block_reduce::over_block(squares, block_reduce::Sum{}, scratch[1]);

  const float scale = rsqrtf(squares / count + epsilon);
  for (int i = first; i < columns; i += stride) {
    const float normed = (lanes8::widen(from[i]) - mean) * scale;
    lanes8::store(to + i, normed * lanes8::widen(weight[i]) + lanes8::widen(bias[i]));
  }
}

extern "C" __global__ __launch_bounds__(1024) void layer_norm(const float* x, const float* weight,
                                                              const float* bias, float* y,
                                                              int columns, float epsilon) {
  layer_norm_of(x, weight, bias, y, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void layer_norm_f16(const __half* x,
                                                                  const __half* weight,
                                                                  const __half* bias, __half* y,
                                                                  int columns, float epsilon) {
  layer_norm_of(x, weight, bias, y, columns, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void layer_norm_bf16(const __hip_bfloat16* x,
                                                                   const __hip_bfloat16* weight,
                                                                   const __hip_bfloat16* bias,
                                                                   __hip_bfloat16* y, int columns,
                                                                   float epsilon) {
  layer_norm_of(x, weight, bias, y, columns, epsilon);
}
