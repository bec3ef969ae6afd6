// Product of an array with a number.
//
// Formula   y[i] = factor * x[i]
// Layout    x, y: count float32, fp16 or bfloat16, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Rounding  in float32; the result is rounded once to its format.

#include "include/elementwise.h"

template <class Element>
__device__ void apply_scale(const Element* x, Element* y, size_t count, float factor) {
  auto product = [factor](float value) { return factor * value; };
  elementwise::map_floats(count, y, product, x);
}

extern "C" __global__ __launch_bounds__(256) void scale(const float* x, float* y, size_t count,
                                                        float factor) {
  apply_scale(x, y, count, factor);
}

extern "C" __global__ __launch_bounds__(256) void scale_f16(const __half* x, __half* y,
                                                            size_t count, float factor) {
  apply_scale(x, y, count, factor);
}

extern "C" __global__ __launch_bounds__(256) void scale_bf16(const __hip_bfloat16* x,
                                                             __hip_bfloat16* y, size_t count,
                                                             float factor) {
  apply_scale(x, y, count, factor);
}
