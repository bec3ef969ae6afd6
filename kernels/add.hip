// Sum of two arrays, such as a residual connection.
//
// Formula   y[i] = a[i] + b[i]
// Layout    a, b, y: count float32, fp16 or bfloat16, contiguous; y may be a or b.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Rounding  in float32; the result is rounded once to its format.

#include "include/elementwise.h"

template <class Element>
__device__ void apply_add(const Element* a, const Element* b, Element* y, size_t count) {
  auto sum = [](float left, float right) { return left + right; };
  elementwise::map_floats(count, y, sum, a, b);
}

extern "C" __global__ __launch_bounds__(256) void add(const float* a, const float* b, float* y,
                                                      size_t count) {
  apply_add(a, b, y, count);
}

extern "C" __global__ __launch_bounds__(256) void add_f16(const __half* a, const __half* b,
                                                          __half* y, size_t count) {
  apply_add(a, b, y, count);
}

extern "C" __global__ __launch_bounds__(256) void add_bf16(const __hip_bfloat16* a,
                                                           const __hip_bfloat16* b,
                                                           __hip_bfloat16* y, size_t count) {
  apply_add(a, b, y, count);
}
