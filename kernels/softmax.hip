// Softmax of each row of a matrix.
//
// Formula   y[r][c] = exp(x[r][c] - m_r) / sum_j exp(x[r][j] - m_r), m_r = max_j x[r][j]
// Layout    x and y: rows x columns, float32, row-major, contiguous; y may be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Policy    -inf is a masked element and gives 0, in a row that is masked altogether as well; a NaN
//           or a +inf makes its whole row NaN.
// Vectors   where x and y begin at a multiple of 16 bytes and columns is a multiple of 4, four
//           elements at a time; else one.
// Rounding  each thread adds its elements: the four of a vector by halves, and then serially
//           ceil(columns / 4 / blockDim.x) vectors or ceil(columns / blockDim.x) single elements;
//           then block_reduce.h. All rows alike: a row's result does not depend on its place.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

extern "C" __global__ __launch_bounds__(1024) void softmax(const float* x, float* y, int columns) {
  __shared__ float scratch[2][block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  float* to = y + static_cast<size_t>(blockIdx.x) * columns;
  const int first = threadIdx.x;
  const int stride = blockDim.x;
  const bool in_fours = lanes8::aligned(x) && lanes8::aligned(y) && columns % 4 == 0;
  const int vectors = in_fours ? columns / 4 : 0;
  const int singles = in_fours ? 0 : columns;
  const float4* from4 = reinterpret_cast<const float4*>(from);
  float4* to4 = reinterpret_cast<float4*>(to);

  float high = block_reduce::Max::identity;
  for (int i = first; i < vectors; i += stride) {
    const float4 v = from4[i];
    high = fmaxf(high, fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)));
  }
  for (int i = first; i < singles; i += stride) high = fmaxf(high, from[i]);
  high = block_reduce::over_block(high, block_reduce::Max{}, scratch[0]);

  // A row without a finite maximum is masked: exp(-inf - 0) is the 0 it shall have. (A NaN, which
  // fmaxf passes over, comes back through the sum.)
  if (high == block_reduce::Max::identity) high = 0.0f;

  // The exponentials wait in y for their divisor.
  float sum = 0.0f;
  for (int i = first; i < vectors; i += stride) {
    const float4 v = from4[i];
    const float4 powers =
        make_float4(expf(v.x - high), expf(v.y - high), expf(v.z - high), expf(v.w - high));
    to4[i] = powers;
    sum += (powers.x + powers.y) + (powers.z + powers.w);
  }
  for (int i = first; i < singles; i += stride) {
    const float power = expf(from[i] - high);
    to[i] = power;
    sum += power;
  }
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch[1]);

  if (sum == 0.0f) return;
  for (int i = first; i < vectors; i += stride) {
    const float4 powers = to4[i];
    to4[i] = make_float4(powers.x / sum, powers.y / sum, powers.z / sum, powers.w / sum);
  }
  for (int i = first; i < singles; i += stride) to[i] /= sum;
}
