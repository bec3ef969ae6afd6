// SiLU, also called swish.
//
// Formula   y[i] = x[i] / (1 + exp(-x[i]))
// Layout    x, y: count float32, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Limits    below x = -88.7 exp(-x) overflows and the result is -0, where the exact one is above
//           -1e-36.
// Policy    NaN at NaN and at -inf (-inf / inf); +inf at +inf.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void silu(const float* x, float* y, size_t count) {
  elementwise::map(count, y, [](float value) { return value / (1.0f + expf(-value)); }, x);
}
