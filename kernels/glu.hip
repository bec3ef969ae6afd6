// Gated linear unit without its projections.
//
// Formula   y[i] = value[i] / (1 + exp(-gate[i]))
// Layout    value, gate, y: count float32, contiguous; y may be value or gate.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Limits    value finite: a gate at which exp overflows makes inf / inf, a NaN, of an infinite one.
// Source    Dauphin et al., "Language modeling with gated convolutional networks", 2017.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void glu(const float* value, const float* gate,
                                                      float* y, size_t count) {
  elementwise::map(count, y, [](float v, float g) { return v / (1.0f + expf(-g)); }, value, gate);
}
