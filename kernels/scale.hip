// Product of an array with a number.
//
// Formula   y[i] = factor * x[i]
// Layout    x, y: count float32, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void scale(const float* x, float* y, size_t count,
                                                        float factor) {
  elementwise::map(count, y, [factor](float value) { return factor * value; }, x);
}
