// GELU, by the error function and by its approximation with tanh.
//
// Formula   gelu:      y[i] = x[i] * erfc(-x[i] / sqrt(2)) / 2
//           gelu_tanh: y[i] = x[i] * (1 + tanh(sqrt(2 / pi) * (x[i] + 0.044715 * x[i]^3))) / 2
// Layout    x, y: count float32, contiguous; y may be x.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Rounding  erfc keeps the digits that 1 + erf loses to cancellation for negative x; 1 + tanh loses
//           them.
// Policy    NaN at NaN and at -inf (-inf * 0); +inf at +inf.

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void gelu(const float* x, float* y, size_t count) {
  constexpr float kRootOfHalf = 0.707106781f;
  auto exact = [](float value) { return 0.5f * value * erfcf(-kRootOfHalf * value); };
  elementwise::map(count, y, exact, x);
}

extern "C" __global__ __launch_bounds__(256) void gelu_tanh(const float* x, float* y,
                                                            size_t count) {
  constexpr float kRootOfTwoOverPi = 0.797884561f;
  constexpr float kCubic = 0.044715f;
  auto approximate = [](float value) {
    const float argument = kRootOfTwoOverPi * (value + kCubic * value * value * value);
    return 0.5f * value * (1.0f + tanhf(argument));
  };
  elementwise::map(count, y, approximate, x);
}
