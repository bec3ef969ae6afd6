// Token permutation of a mixture of experts: (token, choice) pairs sorted by expert, in three
// steps.
//
// Formula   source: the pairs' flat indices, grouped by expert, in their order within a group (a
//           stable sort); offsets[e]: where the group of expert e begins, offsets[experts]: where
//           the last one ends; position: the inverse, position[source[i]] = i
// Layout    chosen: pairs int32; counts: (experts + 1) x chunks int32, scratch; source and
// position:
//           pairs int32; offsets: experts + 1 int32. chunks = ceil(pairs / 256).
// Grid      moe_count and moe_scatter: a block of 256 threads a chunk. moe_offsets: one block, a
//           multiple of warpSize threads, at most 1024. One after the other in one stream.
// Limits    1 <= experts <= 1024; pairs < 2^31 - 256; (experts + 1) chunks < 2^31.
// Policy    a pair whose expert is outside [0, experts) belongs to no group and comes last.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

constexpr int kChunk = 256;
constexpr int kMostExperts = 1024;

__device__ int group_of(int expert, int experts) {
  return expert >= 0 && expert < experts ? expert : experts;
}

// counts[group][chunk]: the pairs of a group in a chunk.
extern "C" __global__ __launch_bounds__(kChunk) void moe_count(const int* chosen, int* counts,
                                                               int pairs, int experts) {
  __shared__ int histogram[kMostExperts + 1];
  for (int i = threadIdx.x; i <= experts; i += kChunk) histogram[i] = 0;
  __syncthreads();
  const int pair = blockIdx.x * kChunk + threadIdx.x;
  if (pair < pairs) atomicAdd(&histogram[group_of(chosen[pair], experts)], 1);
  __syncthreads();
  for (int i = threadIdx.x; i <= experts; i += kChunk) {
    counts[static_cast<size_t>(i) * gridDim.x + blockIdx.x] = histogram[i];
  }
}

// The counts' running sums, each without its own, in place; and the groups' first places.
extern "C" __global__ __launch_bounds__(1024) void moe_offsets(int* counts, int* offsets,
                                                               int experts, int chunks) {
  __shared__ int totals[block_reduce::kMostWaves];
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const int waves = blockDim.x / warpSize;
  const int entries = (experts + 1) * chunks;
  int before = 0;
  for (int start = 0; start < entries; start += blockDim.x) {
    const int i = start + threadIdx.x;
    const int own = i < entries ? counts[i] : 0;
    int through = own;
    for (int distance = 1; distance < warpSize; distance *= 2) {
      const int below = __shfl_up(through, distance);
      if (lane >= distance) through += below;
    }
    __syncthreads();  // the totals of the piece before have been read
    if (lane == static_cast<int>(warpSize) - 1) totals[wave] = through;
    __syncthreads();
    int first = before + through - own;
    for (int w = 0; w < wave; ++w) first += totals[w];
    if (i < entries) {
      counts[i] = first;
      if (i % chunks == 0) offsets[i / chunks] = first;
    }
    for (int w = 0; w < waves; ++w) before += totals[w];
  }
}

// Each pair to its place: its group's and chunk's first one and the equal pairs before it there.
extern "C" __global__ __launch_bounds__(kChunk) void moe_scatter(const int* chosen,
                                                                 const int* counts, int* source,
                                                                 int* position, int pairs,
                                                                 int experts) {
  __shared__ int groups[kChunk];
  const int pair = blockIdx.x * kChunk + threadIdx.x;
  groups[threadIdx.x] = pair < pairs ? group_of(chosen[pair], experts) : -1;
  __syncthreads();
  if (pair >= pairs) return;
  const int group = groups[threadIdx.x];
  int place = counts[static_cast<size_t>(group) * gridDim.x + blockIdx.x];
  for (int i = 0; i < static_cast<int>(threadIdx.x); ++i) place += groups[i] == group ? 1 : 0;
  source[place] = pair;
  position[pair] = place;
}
