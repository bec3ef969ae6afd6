// Router of a mixture of experts: softmax over the experts, then the most probable ones.
//
// Formula   p = softmax(logits[t]); chosen: the `count` largest p in falling order, of equal ones
//           the lower index; weights: their p, divided by the chosen ones' sum if `normalised`
// Layout    logits: tokens x experts, float32, row-major; weights (float32) and indices (int32):
//           tokens x count.
// Grid      one wave a token: ceil(tokens / (blockDim.x / warpSize)) blocks. Block:
//           one-dimensional, a multiple of warpSize.
// Limits    1 <= count <= experts <= 1024: a lane keeps 32 experts' flags in one word.
// Policy    -inf is an expert that cannot be chosen before the others and weighs 0; a NaN or +inf
//           makes the weights NaN and chooses the first experts.
// Rounding  a lane adds its exponentials serially, ceil(experts / warpSize) of them, then a
//           butterfly over the wave; the chosen ones' sum is serial.

#include <hip/hip_runtime.h>

#include "include/best.h"
#include "include/block_reduce.h"

// The lane's probabilities are computed anew at each use: they are two operations and a wave has
// no room for 1024 of them.
struct Row {
  const float* logits;
  int experts;
  float high;
  float sum;

  __device__ float probability(int expert) const { return expf(logits[expert] - high) / sum; }
};

__device__ Row softmax_of(const float* logits, int experts) {
  const int lane = threadIdx.x % warpSize;
  float high = block_reduce::Max::identity;
  for (int i = lane; i < experts; i += warpSize) high = fmaxf(high, logits[i]);
  high = block_reduce::over_wave(high, block_reduce::Max{});
  if (high == block_reduce::Max::identity) high = 0.0f;  // every expert is masked
  float sum = 0.0f;
  for (int i = lane; i < experts; i += warpSize) sum += expf(logits[i] - high);
  sum = block_reduce::over_wave(sum, block_reduce::Sum{});
  return {logits, experts, high, sum == 0.0f ? 1.0f : sum};
}

// The lane's best expert that is not taken yet; `taken` has bit i for expert lane + i warpSize.
__device__ best::Entry best_left(const Row& row, unsigned taken) {
  best::Entry found = best::none();
  int turn = 0;
  for (int i = threadIdx.x % warpSize; i < row.experts; i += warpSize, ++turn) {
    const float probability = row.probability(i);
    const float key = probability == probability ? probability : -1.0f;  // NaN comes last
    if ((taken >> turn & 1) == 0) found = best::Larger{}(found, best::Entry{key, i});
  }
  return found;
}

extern "C" __global__ __launch_bounds__(256) void moe_router(const float* logits, float* weights,
                                                             int* indices, int tokens, int experts,
                                                             int count, int normalised) {
  const int token = blockIdx.x * (blockDim.x / warpSize) + threadIdx.x / warpSize;
  if (token >= tokens) return;
  const int lane = threadIdx.x % warpSize;
  const Row row = softmax_of(logits + static_cast<size_t>(token) * experts, experts);
  float* weight = weights + static_cast<size_t>(token) * count;
  int* index = indices + static_cast<size_t>(token) * count;

  unsigned taken = 0;
  float chosen = 0.0f;
  for (int rank = 0; rank < count; ++rank) {
    const best::Entry winner = block_reduce::over_wave(best_left(row, taken), best::Larger{});
    const float probability = row.probability(winner.index);
    chosen += probability;
    if (winner.index % static_cast<int>(warpSize) != lane) continue;
    taken |= 1u << winner.index / static_cast<int>(warpSize);
    index[rank] = winner.index;
    weight[rank] = probability;
  }
  if (normalised == 0) return;
  __syncwarp();
  for (int rank = lane; rank < count; rank += warpSize) weight[rank] /= chosen;
}
