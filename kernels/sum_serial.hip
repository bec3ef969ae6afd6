// Sum of each row by one thread: the plain loop, whose error grows with the row's length.
//
// Formula   y[r] = ((x[r][0] + x[r][1]) + x[r][2]) + ...
// Layout    x: rows x columns, float32, row-major, contiguous; y: rows.
// Grid      one thread a row; any one-dimensional grid that covers them. Block: at most 256
//           threads.
// Limits    1 <= columns <= 2^30, rows < 2^31.
// Rounding  columns - 1 additions on the longest path. sum_tree.hip has fewer, sum_compensated.hip
//           pays four operations an element and is all but independent of the length.

#include <hip/hip_runtime.h>

extern "C" __global__ __launch_bounds__(256) void sum_serial(const float* x, float* y, int rows,
                                                             int columns) {
  const size_t row = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= static_cast<size_t>(rows)) return;
  const float* from = x + row * columns;
  float sum = from[0];
  for (int i = 1; i < columns; ++i) sum += from[i];
  y[row] = sum;
}
