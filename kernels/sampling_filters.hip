// Filters of sampling: which tokens of each row are kept.
//
// Formula   keep_top_k: the k most probable tokens
//           keep_top_p: the fewest most probable tokens whose sum reaches p, at least one
//           keep_min_p: tokens at least `share` times as probable as the most probable one
//           Of equally probable tokens those with the lower index come first.
// Layout    x: rows x columns, float32, row-major, contiguous, no number below 0; kept: likewise,
//           bytes, 1 or 0.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30; 1 <= k <= columns.
// Policy    -0 equals +0; a NaN comes behind everything, is never kept by keep_min_p and adds
//           nothing to keep_top_p's sum. A row without mass is kept whole by keep_top_p.
// Method    the least probable token that is kept is found by bisection, first of the bits of its
//           probability, then of its index among equals: at most 32 + 30 sums over the row, each
//           of which no order of threads changes. A set that grows never has a smaller sum, as
//           every sum is over the same tree: rounding is monotone.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

struct AddInts {
  __device__ int operator()(int a, int b) const { return a + b; }
};

constexpr int kInfinity = 0x7f800000;  // its bits: the highest key

// Numbers from 0 on ordered as integers: their bits are. Zeros are equal, NaN comes last.
__device__ int key_of(float probability) {
  if (probability != probability) return -1;
  return probability > 0.0f ? __float_as_int(probability) : 0;
}

// Tokens in front of or at a place in the order of falling probability, then rising index.
struct Place {
  int key;
  int index;
  __device__ bool covers(int other_key, int other_index) const {
    return other_key > key || (other_key == key && other_index <= index);
  }
};

// The value of a row: its tokens up to a place, counted or summed. Two calls in turn use the two
// halves of `scratch`: one barrier each.
template <class Value, class Add, class Weigh>
__device__ Value up_to(const float* row, int columns, Place place, Weigh weigh,
                       Value (&scratch)[2][block_reduce::kMostWaves], int turn) {
  Value sum = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    if (place.covers(key_of(row[i]), i)) sum += weigh(row[i]);
  }
  return block_reduce::over_block(sum, Add{}, scratch[turn % 2]);
}

// The first place, in the order of falling probability, at which the row's value reaches `enough`;
// the last one when none does.
template <class Value, class Add, class Weigh>
__device__ Place first_reaching(const float* row, int columns, Value enough, Weigh weigh) {
  __shared__ Value scratch[2][block_reduce::kMostWaves];
  int turn = 0;
  int low = -1;              // covers the whole row
  int high = kInfinity + 1;  // covers nothing
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    const Place place = {middle, columns};
    const Value value = up_to<Value, Add>(row, columns, place, weigh, scratch, turn++);
    (value >= enough ? low : high) = middle;
  }
  int first = -1;  // among the tokens of this probability
  int last = columns - 1;
  while (last - first > 1) {
    const int middle = first + (last - first) / 2;
    const Place place = {low, middle};
    const Value value = up_to<Value, Add>(row, columns, place, weigh, scratch, turn++);
    (value >= enough ? last : first) = middle;
  }
  return {low, last};
}

__device__ void keep_up_to(const float* row, unsigned char* kept, int columns, Place place) {
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    kept[i] = place.covers(key_of(row[i]), i) ? 1 : 0;
  }
}

extern "C" __global__ __launch_bounds__(1024) void keep_top_k(const float* x, unsigned char* kept,
                                                              int columns, int k) {
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  auto one = [](float) { return 1; };
  const Place place = first_reaching<int, AddInts>(x + row, columns, k, one);
  keep_up_to(x + row, kept + row, columns, place);
}

extern "C" __global__ __launch_bounds__(1024) void keep_top_p(const float* x, unsigned char* kept,
                                                              int columns, float p) {
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  auto mass = [](float probability) { return probability > 0.0f ? probability : 0.0f; };
  const float enough = fmaxf(p, 0x1p-126f);  // p = 0 is reached by the first token
  const Place place = first_reaching<float, block_reduce::Sum>(x + row, columns, enough, mass);
  keep_up_to(x + row, kept + row, columns, place);
}

extern "C" __global__ __launch_bounds__(1024) void keep_min_p(const float* x, unsigned char* kept,
                                                              int columns, float share) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  float high = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) high = fmaxf(high, x[row + i]);
  high = block_reduce::over_block(high, block_reduce::Max{}, scratch);
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    kept[row + i] = x[row + i] >= share * high ? 1 : 0;
  }
}
