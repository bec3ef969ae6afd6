// One token of each row, drawn with its probability; and the random numbers by themselves.
//
// Formula   multinomial: u = uniform(philox((offset_r, 0, 0), seed_r)); y[r] = the first i whose
//           running sum exceeds u times the row's sum. uniform: y[i] = uniform(philox((offset, i,
//           0), seed)).
// Layout    x: rows x columns, float32, row-major, contiguous, not necessarily normalised; keys:
//           rows x 2, the seed and the offset of each row; y: rows int32. uniform: y: count
//           float32.
// Grid      multinomial: rows blocks; block: one-dimensional, a multiple of warpSize, at most 1024
//           threads. uniform: one thread an element, one-dimensional.
// Limits    1 <= columns <= 2^30; rows < 2^32.
// Policy    what a row draws is a function of its own numbers and key alone. A token whose
//           probability is not above 0 is never drawn; -1 for a row whose sum is not above 0, or
//           NaN. Rounding cannot leave a row without a token: then it is its last one.
// Rounding  a thread sums ceil(columns / blockDim.x) neighbours serially; a wave scans its lanes'
//           sums, the waves' follow serially.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/philox.h"

__device__ float draw_of(unsigned index, unsigned long long seed, unsigned long long offset) {
  const philox::Words counter = {static_cast<unsigned>(offset), static_cast<unsigned>(offset >> 32),
                                 index, 0u};
  return philox::uniform(philox::draw(counter, seed).x);
}

extern "C" __global__ __launch_bounds__(256) void uniform(float* y, size_t count,
                                                          unsigned long long seed,
                                                          unsigned long long offset) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) y[i] = draw_of(static_cast<unsigned>(i), seed, offset);
}

struct Least {
  __device__ int operator()(int a, int b) const { return min(a, b); }
};

struct Sums {
  float before;  // of the threads below
  float total;   // of the block
};

// The running sums of the threads' own sums.
__device__ Sums running(float own) {
  __shared__ float totals[block_reduce::kMostWaves];
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  float through = own;
  for (int distance = 1; distance < warpSize; distance *= 2) {
    const float below = __shfl_up(through, distance);
    if (lane >= distance) through += below;
  }
  const float lanes_below = __shfl_up(through, 1);
  if (lane == static_cast<int>(warpSize) - 1) totals[wave] = through;
  __syncthreads();
  Sums sums = {0.0f, 0.0f};
  for (int w = 0; w < static_cast<int>(blockDim.x / warpSize); ++w) {
    if (w == wave) sums.before = sums.total;
    sums.total += totals[w];
  }
  if (lane > 0) sums.before += lanes_below;
  return sums;
}

extern "C" __global__ __launch_bounds__(1024) void multinomial(const float* x,
                                                               const unsigned long long* keys,
                                                               int* y, int columns) {
  __shared__ int scratch[2][block_reduce::kMostWaves];
  const float* row = x + static_cast<size_t>(blockIdx.x) * columns;
  const int each = (columns - 1) / static_cast<int>(blockDim.x) + 1;
  const int first = min(static_cast<int>(threadIdx.x) * each, columns);
  const int end = min(first + each, columns);

  float own = 0.0f;
  for (int i = first; i < end; ++i) own += row[i];
  const Sums sums = running(own);
  const unsigned long long* key = keys + size_t{2} * blockIdx.x;
  const float point = draw_of(0, key[0], key[1]) * sums.total;

  constexpr int kNone = 0x7fffffff;
  int found = kNone;
  int last = kNone;  // minus the last token that could be drawn
  float sum = sums.before;
  for (int i = first; i < end; ++i) {
    sum += row[i];
    if (!(row[i] > 0.0f)) continue;
    last = -i;
    if (found == kNone && sum > point) found = i;
  }
  found = block_reduce::over_block(found, Least{}, scratch[0]);
  last = block_reduce::over_block(last, Least{}, scratch[1]);
  if (threadIdx.x != 0) return;
  const int token = found != kNone ? found : -last;
  y[blockIdx.x] = sums.total > 0.0f ? token : -1;
}
