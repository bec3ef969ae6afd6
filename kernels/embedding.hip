// Rows of a table, picked by index.
//
// Formula   y[t][c] = table[indices[t]][c]
// Layout    table: rows x columns of float32, fp16 or bfloat16; y: tokens x columns float32; both
//           row-major; indices: tokens int32.
// Grid      tokens blocks. Block: one-dimensional, at most 256 threads.
// Limits    1 <= columns <= 2^30.
// Policy    an index outside the table makes its row of y NaN: it reads nothing, and it shows.

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

template <class Element>
__device__ void look_up(const Element* table, const int* indices, float* y, int rows, int columns) {
  const int index = indices[blockIdx.x];
  const bool inside = index >= 0 && index < rows;
  const Element* from = table + static_cast<size_t>(inside ? index : 0) * columns;
  float* to = y + static_cast<size_t>(blockIdx.x) * columns;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    to[i] = inside ? lanes8::widen(from[i]) : __builtin_nanf("");
}

extern "C" __global__ __launch_bounds__(256) void embedding(const float* table, const int* indices,
                                                            float* y, int rows, int columns) {
  look_up(table, indices, y, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void embedding_f16(const __half* table,
                                                                const int* indices, float* y,
                                                                int rows, int columns) {
  look_up(table, indices, y, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void embedding_bf16(const __hip_bfloat16* table,
                                                                 const int* indices, float* y,
                                                                 int rows, int columns) {
  look_up(table, indices, y, rows, columns);
}
