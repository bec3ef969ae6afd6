// Running sums of each row.
//
// Formula   y[r][c] = x[r][0] + ... + x[r][c]
// Layout    x and y: rows x columns, float32, row-major, contiguous; y may be x.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Rounding  a row is taken in pieces of 8 elements a thread: a thread adds its 8 serially, a wave
//           scans its lanes' totals in log2(warpSize) steps, the waves' totals and the pieces'
//           follow serially. What lies before an element is added to it, never taken away: an
//           infinity or a NaN marks the elements from its own on and none before.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

constexpr int kEach = 8;

// The sum of the lanes up to the calling one's.
__device__ float inclusive_over_wave(float value) {
  const int lane = threadIdx.x % warpSize;
  for (int distance = 1; distance < warpSize; distance *= 2) {
    const float below = __shfl_up(value, distance);
    if (lane >= distance) value += below;
  }
  return value;
}

extern "C" __global__ __launch_bounds__(1024) void prefix_sum(const float* x, float* y,
                                                              int columns) {
  __shared__ float totals[block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  float* to = y + static_cast<size_t>(blockIdx.x) * columns;
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const int waves = blockDim.x / warpSize;
  const int piece = blockDim.x * kEach;

  float before = 0.0f;  // the sum of the pieces that are done
  for (int start = 0; start < columns; start += piece) {
    const int first = start + static_cast<int>(threadIdx.x) * kEach;
    float sums[kEach];
    float total = 0.0f;
    for (int j = 0; j < kEach; ++j) {
      if (first + j < columns) total += from[first + j];
      sums[j] = total;
    }

    const float through = inclusive_over_wave(total);
    const float lanes_below = __shfl_up(through, 1);
    __syncthreads();  // the totals of the piece before have been read
    if (lane == static_cast<int>(warpSize) - 1) totals[wave] = through;
    __syncthreads();

    float below = before;
    for (int w = 0; w < wave; ++w) below += totals[w];
    if (lane > 0) below += lanes_below;
    for (int j = 0; j < kEach; ++j) {
      if (first + j < columns) to[first + j] = below + sums[j];
    }
    float piece_total = totals[0];
    for (int w = 1; w < waves; ++w) piece_total += totals[w];
    before += piece_total;
  }
}
