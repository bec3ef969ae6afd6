// Rows of a table, picked by index.
//
// Formula   y[t][c] = table[indices[t]][c]
// Layout    table: rows x columns, y: tokens x columns, float32, row-major; indices: tokens int32.
// Grid      tokens blocks. Block: one-dimensional, at most 256 threads.
// Limits    1 <= columns <= 2^30.
// Policy    an index outside the table makes its row of y NaN: it reads nothing, and it shows.

#include <hip/hip_runtime.h>

extern "C" __global__ __launch_bounds__(256) void embedding(const float* table, const int* indices,
                                                            float* y, int rows, int columns) {
  const int index = indices[blockIdx.x];
  const bool inside = index >= 0 && index < rows;
  const float* from = table + static_cast<size_t>(inside ? index : 0) * columns;
  float* to = y + static_cast<size_t>(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    to[i] = inside ? from[i] : __builtin_nanf("");
}
