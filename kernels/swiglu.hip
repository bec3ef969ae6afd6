// SwiGLU without its projections: a SiLU that gates another array.
//
// Formula   y[i] = gate[i] / (1 + exp(-gate[i])) * up[i]
// Layout    gate, up, y: count float32, fp16 or bfloat16, contiguous; y may be gate or up.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Limits    up finite: a SiLU that underflows makes 0 * inf, a NaN, of an infinite one; below
//           gate = -88.7 the result is a zero, as in silu.hip.
// Rounding  in float32; the result is rounded once to its format.

#include "include/elementwise.h"

template <class Element>
__device__ void apply_swiglu(const Element* gate, const Element* up, Element* y, size_t count) {
  auto gated = [](float g, float value) { return g / (1.0f + expf(-g)) * value; };
  elementwise::map_floats(count, y, gated, gate, up);
}

extern "C" __global__ __launch_bounds__(256) void swiglu(const float* gate, const float* up,
                                                         float* y, size_t count) {
  apply_swiglu(gate, up, y, count);
}

extern "C" __global__ __launch_bounds__(256) void swiglu_f16(const __half* gate, const __half* up,
                                                             __half* y, size_t count) {
  apply_swiglu(gate, up, y, count);
}

extern "C" __global__ __launch_bounds__(256) void swiglu_bf16(const __hip_bfloat16* gate,
                                                              const __hip_bfloat16* up,
                                                              __hip_bfloat16* y, size_t count) {
  apply_swiglu(gate, up, y, count);
}
