// Running sums of each row: by one block a row, or of long rows in three steps by many.
//
// Formula   y[r][c] = x[r][0] + ... + x[r][c]
// Layout    x and y: rows x columns, float32, row-major, contiguous; y may be x. totals: rows x
//           tiles, tiles = ceil(columns / tile).
// Grid      prefix_sum: rows blocks. tile_totals and prefix_sum_tiles: rows * tiles. Block:
//           one-dimensional, a multiple of warpSize, at most 1024 threads.
// Steps     for long rows: tile_totals; prefix_sum of the totals, in place; prefix_sum_tiles.
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

// The running sums of one row or tile; `before` is the sum of what lies in front of it.
__device__ void scan(const float* from, float* to, int columns, float before) {
  __shared__ float totals[block_reduce::kMostWaves];
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const int waves = blockDim.x / warpSize;
  const int piece = blockDim.x * kEach;

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

extern "C" __global__ __launch_bounds__(1024) void prefix_sum(const float* x, float* y,
                                                              int columns) {
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  scan(x + row, y + row, columns, 0.0f);
}

// Where a block's tile begins, and how much of it there is.
struct Tile {
  size_t first;
  int columns;
};

__device__ Tile own_tile(int columns, int tile) {
  const int tiles = (columns - 1) / tile + 1;
  const int start = static_cast<int>(blockIdx.x % tiles) * tile;
  return {static_cast<size_t>(blockIdx.x / tiles) * columns + start, min(tile, columns - start)};
}

extern "C" __global__ __launch_bounds__(1024) void tile_totals(const float* x, float* totals,
                                                               int columns, int tile) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const Tile own = own_tile(columns, tile);
  float sum = 0.0f;
  for (int i = threadIdx.x; i < own.columns; i += blockDim.x) sum += x[own.first + i];
  sum = block_reduce::over_block(sum, block_reduce::Sum{}, scratch);
  if (threadIdx.x == 0) totals[blockIdx.x] = sum;
}

extern "C" __global__ __launch_bounds__(1024) void prefix_sum_tiles(const float* x,
                                                                    const float* totals, float* y,
                                                                    int columns, int tile) {
  const Tile own = own_tile(columns, tile);
  const bool first = blockIdx.x % ((columns - 1) / tile + 1) == 0;
  scan(x + own.first, y + own.first, own.columns, first ? 0.0f : totals[blockIdx.x - 1]);
}
