// Largest element of each row.
//
// Formula   y[r] = max_j x[r][j]
// Layout    x: rows x columns, float32, row-major, contiguous; y: rows.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Policy    a NaN makes its row's result NaN (IEEE 754-2019 maximum), which fmaxf would pass over;
//           of zeros of both signs it is either one.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

struct Maximum {
  __device__ float operator()(float a, float b) const { return a != a || a > b ? a : b; }
};

extern "C" __global__ __launch_bounds__(1024) void row_max(const float* x, float* y, int columns) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  const Maximum maximum;
  float high = block_reduce::Max::identity;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) high = maximum(from[i], high);
  high = block_reduce::over_block(high, maximum, scratch);
  if (threadIdx.x == 0) y[blockIdx.x] = high;
}
