// Self-attention with relative positions, as a conformer's encoder has it.
//
// Formula   s_ij = scale ((q_i + u) . k_j + (q_i + w) . e_{t-1-i+j}); o_i = sum_j p_ij v_j / sum_j
//           p_ij, p_ij = exp(s_ij - max_j s_ij)
// Layout    q, k: rows x t x size, v: rows x t x value_size, o likewise, rows = batch heads;
//           encoding e: heads x (2 t - 1) x size, row r for the distance i - j = t - 1 - r; u and w
//           (content_bias, position_bias): heads x size; float32, row-major, contiguous.
// Grid      a block a query: rows * t blocks. Block: one-dimensional, a multiple of warpSize.
// Memory    dynamic shared: t + 2 size + blockDim.x floats.
// Limits    1 <= t <= 8192; 1 <= size <= 1024; 1 <= value_size <= blockDim.x.
// Rounding  the two dot products are one serial sum each; sums over j: blockDim.x / value_size
//           threads a column add theirs serially, and meet serially; the divisor as softmax.hip.
// Source    Dai et al., "Transformer-XL", 2019; Gulati et al., "Conformer", 2020.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

struct Sizes {
  int heads;
  int t;
  int size;
  int value_size;
};

// The scaled logits of query i, one a key, into `logits`.
__device__ void compute_logits(const float* k, const float* e, const float* with_content,
                               const float* with_position, const Sizes& sizes, int i, float scale,
                               float* logits) {
  for (int j = threadIdx.x; j < sizes.t; j += blockDim.x) {
    const float* key = k + static_cast<size_t>(j) * sizes.size;
    const float* distance = e + static_cast<size_t>(sizes.t - 1 - i + j) * sizes.size;
    float content = 0.0f;
    float position = 0.0f;
    for (int d = 0; d < sizes.size; ++d) {
      content += with_content[d] * key[d];
      position += with_position[d] * distance[d];
    }
    logits[j] = scale * (content + position);
  }
}

extern "C" __global__ __launch_bounds__(256) void relative_attention(
    const float* q, const float* k, const float* v, const float* encoding,
    const float* content_bias, const float* position_bias, float* o, int heads, int t, int size,
    int value_size, float scale) {
  extern __shared__ float memory[];
  __shared__ float scratch[2][block_reduce::kMostWaves];
  float* powers = memory;
  float* with_content = memory + t;
  float* with_position = with_content + size;
  float* parts = with_position + size;
  const size_t row = blockIdx.x / t;
  const int i = blockIdx.x % t;
  const int head = row % heads;
  const Sizes sizes = {heads, t, size, value_size};

  const float* query = q + (row * t + i) * size;
  for (int d = threadIdx.x; d < size; d += blockDim.x) {
    with_content[d] = query[d] + content_bias[static_cast<size_t>(head) * size + d];
    with_position[d] = query[d] + position_bias[static_cast<size_t>(head) * size + d];
  }
  __syncthreads();
  const float* distances = encoding + static_cast<size_t>(head) * (2 * t - 1) * size;
  compute_logits(k + row * t * size, distances, with_content, with_position, sizes, i, scale,
                 powers);

  // Each thread comes back to the logits that it wrote.
  float high = block_reduce::Max::identity;
  for (int j = threadIdx.x; j < t; j += blockDim.x) high = fmaxf(high, powers[j]);
  high = block_reduce::over_block(high, block_reduce::Max{}, scratch[0]);
  if (high == block_reduce::Max::identity) high = 0.0f;
  float sum = 0.0f;
  for (int j = threadIdx.x; j < t; j += blockDim.x) {
    powers[j] = expf(powers[j] - high);
    sum += powers[j];
  }
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch[1]);  // and the powers are there

  const int groups = blockDim.x / value_size;
  const int column = threadIdx.x % value_size;
  const int group = threadIdx.x / value_size;
  const float* values = v + row * t * value_size;
  float part = 0.0f;
  for (int j = group; j < t && group < groups; j += groups) {
    part += powers[j] * values[static_cast<size_t>(j) * value_size + column];
  }
  parts[threadIdx.x] = part;
  __syncthreads();
  if (group != 0) return;
  float total = 0.0f;
  for (int g = 0; g < groups; ++g) total += parts[g * value_size + column];
  o[(row * t + i) * value_size + column] = sum == 0.0f ? 0.0f : total / sum;
}
