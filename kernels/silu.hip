// SiLU, also called swish.
//
// Formula   y[i] = x[i] / (1 + exp(-x[i]))
// Layout    x, y: count float32, fp16 or bfloat16, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Limits    below x = -88.7 exp(-x) overflows and the result is -0, where the exact one is above
//           -1e-36.
// Policy    NaN at NaN and at -inf (-inf / inf); +inf at +inf.
// Rounding  in float32; the result is rounded once to its format.

#include "include/elementwise.h"

template <class Element>
__device__ void apply_silu(const Element* x, Element* y, size_t count) {
  auto silu_of = [](float value) { return value / (1.0f + expf(-value)); };
  elementwise::map_floats(count, y, silu_of, x);
}

extern "C" __global__ __launch_bounds__(256) void silu(const float* x, float* y, size_t count) {
  apply_silu(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void silu_f16(const __half* x, __half* y,
                                                           size_t count) {
  apply_silu(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void silu_bf16(const __hip_bfloat16* x,
                                                            __hip_bfloat16* y, size_t count) {
  apply_silu(x, y, count);
}
