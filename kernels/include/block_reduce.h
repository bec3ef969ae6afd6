// Reductions over a block: every thread gives one value, every thread gets the fold of them all.
//
// Formula   r = v[0] op v[1] op ... op v[blockDim.x - 1]; every thread of the block gets the same
//           bits. Lanes fold in a butterfly (height log2(warpSize)); lane 0 of each wave leaves its
//           wave's part in `scratch`; each thread then folds the parts serially (height waves - 1).
//           Every thread adds the same numbers in the same order, so no second exchange is needed
//           to make them agree.
// Block     one-dimensional, blockDim.x a multiple of warpSize and at most 1024. All threads must
//           call.
// Limits    works at any wave width up to 64: warpSize is read, never assumed.
// Memory    `scratch` is shared, holds kMostWaves values, is the caller's again after its next
//           __syncthreads(). A second call without a barrier between needs a scratch of its own.
#pragma once

#include <hip/hip_runtime.h>

namespace block_reduce {

constexpr int kMostWaves = 32;  // 1024 threads in waves of 32

struct Sum {
  static constexpr float identity = 0.0f;
  __device__ float operator()(float a, float b) const { return a + b; }
};

// NaNs lose, as in fmaxf: a caller that must pass NaN on finds it by another way.
struct Max {
  static constexpr float identity = -__builtin_huge_valf();
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// What another lane holds; a Value of several words brings an overload of its own.
template <class Value>
__device__ Value from_lane_across(Value value, int distance) {
  return __shfl_xor(value, distance);
}

// The fold over the calling wave's lanes, in every lane. Operation must be commutative to the bit.
template <class Value, class Operation>
__device__ Value over_wave(Value value, Operation operation) {
  for (int distance = warpSize / 2; distance > 0; distance /= 2) {
    value = operation(value, from_lane_across(value, distance));
  }
  return value;
}

// The fold over the block's threads, in every thread.
template <class Value, class Operation>
__device__ Value over_block(Value value, Operation operation, Value* scratch) {
  value = over_wave(value, operation);
  const int waves = blockDim.x / warpSize;
  if (threadIdx.x % warpSize == 0) scratch[threadIdx.x / warpSize] = value;
  __syncthreads();
  value = scratch[0];
  for (int wave = 1; wave < waves; ++wave) value = operation(value, scratch[wave]);
  return value;
}

}  // namespace block_reduce
