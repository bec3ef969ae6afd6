// GELU, by the error function and by its approximation with tanh.
//
// Formula   gelu:      y[i] = x[i] * erfc(-x[i] / sqrt(2)) / 2
//           gelu_tanh: y[i] = x[i] * (1 + tanh(sqrt(2 / pi) * (x[i] + 0.044715 * x[i]^3))) / 2
// Layout    x, y: count float32, fp16 or bfloat16, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Rounding  erfc keeps the digits that 1 + erf loses to cancellation for negative x; 1 + tanh loses
//           them.
// Policy    NaN at NaN and at -inf (-inf * 0); +inf at +inf.

#include "include/elementwise.h"

template <class Element>
__device__ void apply_gelu(const Element* x, Element* y, size_t count) {
  constexpr float kRootOfHalf = 0.707106781f;
  auto exact = [](float value) { return 0.5f * value * erfcf(-kRootOfHalf * value); };
  elementwise::map_floats(count, y, exact, x);
}

extern "C" __global__ __launch_bounds__(256) void gelu(const float* x, float* y, size_t count) {
  apply_gelu(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void gelu_f16(const __half* x, __half* y,
                                                           size_t count) {
  apply_gelu(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void gelu_bf16(const __hip_bfloat16* x,
                                                            __hip_bfloat16* y, size_t count) {
  apply_gelu(x, y, count);
}

template <class Element>
__device__ void apply_gelu_tanh(const Element* x, Element* y, size_t count) {
  constexpr float kRootOfTwoOverPi = 0.797884561f;
  constexpr float kCubic = 0.044715f;
  auto approximate = [](float value) {
    const float argument = kRootOfTwoOverPi * (value + kCubic * value * value * value);
    return 0.5f * value * (1.0f + tanhf(argument));
  };
  elementwise::map_floats(count, y, approximate, x);
}

extern "C" __global__ __launch_bounds__(256) void gelu_tanh(const float* x, float* y,
                                                            size_t count) {
  apply_gelu_tanh(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void gelu_tanh_f16(const __half* x, __half* y,
                                                                size_t count) {
  apply_gelu_tanh(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void gelu_tanh_bf16(const __hip_bfloat16* x,
                                                                 __hip_bfloat16* y, size_t count) {
  apply_gelu_tanh(x, y, count);
}
