// Index of the largest element of each row.
//
// Formula   y[r] = the lowest i with x[r][i] = max_j x[r][j]
// Layout    x: rows x columns, float32, row-major, contiguous; y: rows int32.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Policy    -0 equals +0; a NaN is larger than everything, the first one of a row is its result: it
//           must not go unseen.

#include <hip/hip_runtime.h>

#include "include/best.h"
#include "include/block_reduce.h"

// NaN above the rest.
struct Ranked {
  int is_nan;
  best::Entry entry;
};

struct Higher {
  __device__ Ranked operator()(const Ranked& a, const Ranked& b) const {
    const bool first = a.is_nan != b.is_nan ? a.is_nan != 0 : best::precedes(a.entry, b.entry);
    return {first ? a.is_nan : b.is_nan,
            {first ? a.entry.value : b.entry.value, first ? a.entry.index : b.entry.index}};
  }
};

__device__ Ranked from_lane_across(const Ranked& ranked, int distance) {
  return {__shfl_xor(ranked.is_nan, distance), best::from_lane_across(ranked.entry, distance)};
}

extern "C" __global__ __launch_bounds__(1024) void argmax(const float* x, int* y, int columns) {
  __shared__ Ranked scratch[block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  Ranked highest = {0, best::none()};
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    const bool is_nan = from[i] != from[i];
    highest = Higher{}(highest, Ranked{is_nan ? 1 : 0, {is_nan ? 0.0f : from[i], i}});
  }
  highest = block_reduce::over_block(highest, Higher{}, scratch);
  if (threadIdx.x == 0) y[blockIdx.x] = highest.entry.index;
}
