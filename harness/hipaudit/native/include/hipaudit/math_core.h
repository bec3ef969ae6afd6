// What the device math headers share: the hook that every transcendental result passes through, and
// bit-level helpers. Each header that computes starts with HIPAUDIT_EXACT_BEGIN: its arithmetic is
// done as written, whatever the kernel's options say about contraction or fast math, so that a
// function has the same bits in every kernel and on every host.
#pragma once

#include "../hip/host_defines.h"
#include "math_functions.h"

#if defined(__AMDGCN__)
// clang has no float_control there, and the functions are the hardware's.
#define HIPAUDIT_EXACT_BEGIN
#define HIPAUDIT_EXACT_END
#else
#define HIPAUDIT_EXACT_BEGIN                                           \
  _Pragma("float_control(push)") _Pragma("float_control(precise, on)") \
      _Pragma("clang fp contract(off)")
#define HIPAUDIT_EXACT_END _Pragma("float_control(pop)")
#endif

namespace hipaudit {

// The one place that every transcendental result passes through. An adversarial build moves it
// within the error that AMD documents for the function: device/math_adversary.cpp. The result
// depends on the lane, not on memory that a kernel writes.
#if defined(HIPAUDIT_ADVERSARIAL)
extern "C" __device__ __attribute__((pure)) float hipaudit_moved_float(float, FunctionId) noexcept;
extern "C" __device__ __attribute__((pure)) double hipaudit_moved_double(double,
                                                                         FunctionId) noexcept;
HIPAUDIT_DEVICE float math_result(float value, FunctionId function) {
  return hipaudit_moved_float(value, function);
}
HIPAUDIT_DEVICE double math_result(double value, FunctionId function) {
  return hipaudit_moved_double(value, function);
}
#else
template <typename T>
HIPAUDIT_DEVICE T math_result(T value, FunctionId) {
  return value;
}
#endif

HIPAUDIT_EXACT_BEGIN

namespace math {

using Bits = unsigned long long;

HIPAUDIT_HOST_DEVICE Bits bits_of(double x) { return __builtin_bit_cast(Bits, x); }
HIPAUDIT_HOST_DEVICE unsigned bits_of(float x) { return __builtin_bit_cast(unsigned, x); }
HIPAUDIT_HOST_DEVICE double from_bits(Bits bits) { return __builtin_bit_cast(double, bits); }
HIPAUDIT_HOST_DEVICE float from_bits(unsigned bits) { return __builtin_bit_cast(float, bits); }
HIPAUDIT_DEVICE double magnitude(double x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE float magnitude(float x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE double with_sign(double x, double y) {
  return __builtin_elementwise_copysign(x, y);
}
HIPAUDIT_DEVICE float with_sign(float x, float y) { return __builtin_elementwise_copysign(x, y); }
HIPAUDIT_DEVICE double fused(double x, double y, double z) {
  return __builtin_elementwise_fma(x, y, z);
}
HIPAUDIT_DEVICE float fused(float x, float y, float z) {
  return __builtin_elementwise_fma(x, y, z);
}

// Tests on bits: a kernel compiled with -ffast-math must still see a NaN here.
HIPAUDIT_DEVICE bool is_nan(double x) { return (bits_of(x) << 1) > 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_nan(float x) { return (bits_of(x) << 1) > 0xff000000u; }
HIPAUDIT_DEVICE bool is_infinite(double x) { return (bits_of(x) << 1) == 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_infinite(float x) { return (bits_of(x) << 1) == 0xff000000u; }
HIPAUDIT_DEVICE bool is_finite(double x) { return (bits_of(x) << 1) < 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_finite(float x) { return (bits_of(x) << 1) < 0xff000000u; }
HIPAUDIT_DEVICE bool is_negative(double x) { return (bits_of(x) >> 63) != 0; }
HIPAUDIT_DEVICE bool is_negative(float x) { return (bits_of(x) >> 31) != 0; }

// The type that <cmath> computes in: float when all arguments are, otherwise double.
template <typename... T>
struct Promote {
  using Type = double;
};
template <>
struct Promote<float> {
  using Type = float;
};
template <>
struct Promote<float, float> {
  using Type = float;
};
template <>
struct Promote<float, float, float> {
  using Type = float;
};
template <typename... T>
using Promoted = typename Promote<T...>::Type;

}  // namespace math

HIPAUDIT_EXACT_END

}  // namespace hipaudit
