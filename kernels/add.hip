// Sum of two arrays, such as a residual connection.
//
// Formula   y[i] = a[i] + b[i]
// Layout    a, b, y: count float32, contiguous; y may be a or b.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void add(const float* a, const float* b, float* y,
                                                      size_t count) {
  elementwise::map(count, y, [](float left, float right) { return left + right; }, a, b);
}
