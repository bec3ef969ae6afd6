// Product of a matrix with one vector or a few: a decoding step's projections.
//
// Formula   y[t][i] = sum_p a[i][p] * x[t][p]; grouped: a is the matrix of the group that t is in
// Layout    a: m x k of float32, fp16 or bfloat16, x: vectors x k, y: vectors x m, both float32;
// all
//           row-major, contiguous; y overlaps neither a nor x. Grouped: a is groups x m x k, and
//           offsets as in include/groups.h; vectors behind the last group are left as they are.
// Grid      x: ceil(m / 16) blocks; y: one a vector. Block: 64 threads: 4 groups of 16 lanes; a
//           group has 4 rows, so that an element of x is used 4 times, and its lanes read 16 bytes
//           of a row each (twice of float32), side by side.
// Limits    1 <= m <= 2^31 - 16, 0 <= k <= 2^31 - 128, at most 65,535 vectors. Rows that do not
//           all begin at multiples of 16 bytes are read element by element. k = 0 gives zeros.
// Rounding  float32. Each lane has 8 serial sums (fused where the compiler contracts) of
//           ceil(k / 128) products each, added by halves; then the 16 lanes' sums, serially.

#include <hip/hip_runtime.h>

#include "include/groups.h"
#include "include/lanes8.h"

constexpr int kLanes = 16;
constexpr int kGroups = 4;
constexpr int kThreads = kLanes * kGroups;
constexpr int kRowsEach = 4;
constexpr int kRows = kGroups * kRowsEach;
constexpr int kStep = kLanes * lanes8::kWidth;

struct Sums {
  lanes8::Floats rows[kRowsEach] = {};
};

// Adds the products of a lane's share of the columns; row_starts[r] may repeat a row.
template <class Element>
__device__ Sums multiply(const Element* const (&row_starts)[kRowsEach], const float* x, int first,
                         int k, bool vectors) {
  Sums sums;
  int p = first;
  for (; vectors && p + lanes8::kWidth <= k; p += kStep) {
    const lanes8::Floats factor = lanes8::load(x + p);
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) sums.rows[r] += lanes8::load(row_starts[r] + p) * factor;
  }
  for (; p < k; p += kStep) {
    const lanes8::Floats factor = lanes8::load_some(x + p, k - p);
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
      sums.rows[r] += lanes8::load_some(row_starts[r] + p, k - p) * factor;
    }
  }
  return sums;
}

template <class Element>
__device__ void gemv(const Element* a, const float* x, float* y, int m, int k, int t) {
  __shared__ float parts[kRows][kLanes + 1];  // one more: a row's threads meet different banks
  const int lane = threadIdx.x % kLanes;
  const int group_row = threadIdx.x / kLanes * kRowsEach;
  const int block_row = blockIdx.x * kRows;
  const float* vector = x + static_cast<size_t>(t) * k;

  // Beyond the last row the last one is read again, and its sum dropped: no lane waits for it.
  const Element* row_starts[kRowsEach];
  for (int r = 0; r < kRowsEach; ++r) {
    row_starts[r] = a + static_cast<size_t>(min(block_row + group_row + r, m - 1)) * k;
  }
  const bool vectors = lanes8::aligned(a) && lanes8::aligned(vector) &&
                       k * sizeof(Element) % lanes8::kAlignment == 0;
  const Sums sums = multiply(row_starts, vector, lane * lanes8::kWidth, k, vectors);
  for (int r = 0; r < kRowsEach; ++r) parts[group_row + r][lane] = lanes8::sum(sums.rows[r]);
  __syncthreads();

  const int row = threadIdx.x;
  if (row >= kRows || block_row + row >= m) return;
  float total = parts[row][0];
  for (int i = 1; i < kLanes; ++i) total += parts[row][i];
  y[static_cast<size_t>(t) * m + block_row + row] = total;
}

extern "C" __global__ __launch_bounds__(kThreads) void gemv_f32(const float* a, const float* x,
                                                                float* y, int m, int k) {
  gemv(a, x, y, m, k, blockIdx.y);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemv_f16(const __half* a, const float* x,
                                                                float* y, int m, int k) {
  gemv(a, x, y, m, k, blockIdx.y);
}

extern "C" __global__ __launch_bounds__(kThreads) void gemv_bf16(const __hip_bfloat16* a,
                                                                 const float* x, float* y, int m,
                                                                 int k) {
  gemv(a, x, y, m, k, blockIdx.y);
}

template <class Element>
__device__ void grouped_gemv(const Element* a, const int* offsets, const float* x, float* y,
                             int groups, int m, int k) {
  const groups::Place place = groups::place_of(offsets, groups, 1, blockIdx.y);
  if (place.group < 0) return;  // the whole block
  gemv(a + static_cast<size_t>(place.group) * m * k, x, y, m, k, place.row);
}

extern "C" __global__ __launch_bounds__(kThreads) void grouped_gemv_f32(const float* a,
                                                                        const int* offsets,
                                                                        const float* x, float* y,
                                                                        int groups, int m, int k) {
  grouped_gemv(a, offsets, x, y, groups, m, k);
}

extern "C" __global__ __launch_bounds__(kThreads) void grouped_gemv_f16(const __half* a,
                                                                        const int* offsets,
                                                                        const float* x, float* y,
                                                                        int groups, int m, int k) {
  grouped_gemv(a, offsets, x, y, groups, m, k);
}

extern "C" __global__ __launch_bounds__(kThreads) void grouped_gemv_bf16(const __hip_bfloat16* a,
                                                                         const int* offsets,
                                                                         const float* x, float* y,
                                                                         int groups, int m, int k) {
  grouped_gemv(a, offsets, x, y, groups, m, k);
}
