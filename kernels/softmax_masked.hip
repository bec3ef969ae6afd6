// Softmax of attention's logits with their masks, reading a row once for its maximum and its sum.
//
// Formula   y[r][j] = exp(s_j - m_r) / sum_i exp(s_i - m_r), s = scale x, over the elements that
// row
//           r sees; m_r the largest of them; 0 elsewhere. Rows come in sequences of `queries` and
//           row i of a sequence stands at position i + columns - queries. Causal: it sees the
//           elements up to its position; with a window w > 0, the last w of those; and none from
//           lengths[sequence] on (padding).
// Layout    x and y: rows x columns of float32, fp16 or bfloat16, row-major, contiguous; lengths:
//           rows / queries int32, or null; y may be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30; queries >= 1, a divisor of rows.
// Policy    a hidden element is 0, whatever its bits; so is one of -inf, and every element of a row
//           that sees none or nothing but -inf; a NaN or +inf that a row sees makes what it sees
//           NaN.
// Rounding  online: each thread keeps a maximum and a sum relative to it, and rescales the sum when
//           the maximum rises; ceil(columns / blockDim.x) terms, then block_reduce.h.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

constexpr float kNone = -__builtin_huge_valf();

// The largest logit seen, and the sum of the exponentials relative to it.
struct Running {
  float peak;
  float sum;
};

__device__ inline Running from_lane_across(Running own, int distance) {
  return {__shfl_xor(own.peak, distance), __shfl_xor(own.sum, distance)};
}

struct Join {
  __device__ Running operator()(Running a, Running b) const {
    const float peak = fmaxf(a.peak, b.peak);
    const float shift = peak == kNone ? 0.0f : peak;
    return {peak, a.sum * expf(a.peak - shift) + b.sum * expf(b.peak - shift)};
  }
};

__device__ void add(Running& running, float logit) {
  if (logit > running.peak) {
    running.sum = running.sum * expf(running.peak - logit) + 1.0f;
    running.peak = logit;
  } else if (logit != kNone) {
    running.sum += expf(logit - running.peak);
  }
}

struct Mask {
  const int* lengths;
  int queries;
  int columns;
  int causal;
  int window;

  // The elements first..end - 1 that this block's row sees.
  __device__ int2 seen() const {
    const int row = blockIdx.x % queries;
    const int after = causal ? min(max(row + columns - queries + 1, 0), columns) : columns;
    const int first = window > 0 ? max(after - window, 0) : 0;
    const int length = lengths == nullptr ? columns : lengths[blockIdx.x / queries];
    return make_int2(first, min(after, length));
  }
};

template <class Element>
__device__ void softmax_masked(const Element* x, Element* y, const Mask& mask, float scale) {
  __shared__ Running scratch[block_reduce::kMostWaves];
  const Element* from = x + static_cast<size_t>(blockIdx.x) * mask.columns;
  Element* to = y + static_cast<size_t>(blockIdx.x) * mask.columns;
  const int2 seen = mask.seen();
  const int thread = threadIdx.x;
  const int stride = blockDim.x;

  Running running = {kNone, 0.0f};
  for (int i = seen.x + thread; i < seen.y; i += stride) {
    add(running, scale * lanes8::widen(from[i]));
  }
  running = block_reduce::over_block(running, Join{}, scratch);

  // A row of nothing but -inf has the sum 0, whatever the exponentials below.
  const float sum = running.peak == -kNone ? __builtin_nanf("") : running.sum;
  for (int i = thread; i < mask.columns; i += stride) {
    const bool visible = i >= seen.x && i < seen.y;
    const float power = visible ? expf(scale * lanes8::widen(from[i]) - running.peak) : 0.0f;
    lanes8::store(to + i, !visible || sum == 0.0f ? 0.0f : power / sum);
  }
}

extern "C" __global__ __launch_bounds__(1024) void softmax_masked_f32(const float* x,
                                                                      const int* lengths, float* y,
                                                                      int queries, int columns,
                                                                      int causal, int window,
                                                                      float scale) {
  softmax_masked(x, y, {lengths, queries, columns, causal, window}, scale);
}

extern "C" __global__ __launch_bounds__(1024) void softmax_masked_f16(const __half* x,
                                                                      const int* lengths, __half* y,
                                                                      int queries, int columns,
                                                                      int causal, int window,
                                                                      float scale) {
  softmax_masked(x, y, {lengths, queries, columns, causal, window}, scale);
}

extern "C" __global__ __launch_bounds__(1024) void softmax_masked_bf16(
    const __hip_bfloat16* x, const int* lengths, __hip_bfloat16* y, int queries, int columns,
    int causal, int window, float scale) {
  softmax_masked(x, y, {lengths, queries, columns, causal, window}, scale);
}
