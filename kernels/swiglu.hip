// SwiGLU without its projections: a SiLU that gates another array.
//
// Formula   y[i] = gate[i] / (1 + exp(-gate[i])) * up[i]
// Layout    gate, up, y: count float32, contiguous; y may be gate or up.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Limits    up finite: a SiLU that underflows makes 0 * inf, a NaN, of an infinite one; below
//           gate = -88.7 the result is a zero, as in silu.hip.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void swiglu(const float* gate, const float* up,
                                                         float* y, size_t count) {
  auto gated = [](float g, float value) { return g / (1.0f + expf(-g)) * value; };
  elementwise::map(count, y, gated, gate, up);
}
