// Conversions and casts between number types, and arithmetic with a named rounding. On AMD the _rz,
// _ru and _rd forms of arithmetic exist only with OCML_BASIC_ROUNDED_OPERATIONS; here they always
// do.
#pragma once

#include "math_basic.h"
#include "math_core.h"

HIPAUDIT_EXACT_BEGIN

namespace hipaudit::math {

// MXCSR's rounding modes.
inline constexpr int kDown = 1;
inline constexpr int kUp = 2;
inline constexpr int kZero = 3;

HIPAUDIT_DEVICE float next_up(float x) { return next_after(x, __builtin_inff()); }
HIPAUDIT_DEVICE float next_down(float x) { return next_after(x, -__builtin_inff()); }
HIPAUDIT_DEVICE double next_up(double x) { return next_after(x, __builtin_inf()); }
HIPAUDIT_DEVICE double next_down(double x) { return next_after(x, -__builtin_inf()); }

// The nearest value made the directed one, from how it compares with the exact value.
template <int kMode, typename T>
HIPAUDIT_DEVICE T directed(T nearest, bool above, bool below, bool negative) {
  if ((kMode == kDown || (kMode == kZero && !negative)) && above) return next_down(nearest);
  if ((kMode == kUp || (kMode == kZero && negative)) && below) return next_up(nearest);
  return nearest;
}

template <int kMode>
HIPAUDIT_DEVICE float to_float(double x) {
  const float nearest = static_cast<float>(x);
  const double back = static_cast<double>(nearest);
  return directed<kMode>(nearest, back > x, back < x, x < 0.0);
}

// An integer to floating point. The nearest value may be one past the integer's range: it is above.
template <int kMode, typename To, typename From>
HIPAUDIT_DEVICE To from_integer(From n) {
  constexpr bool kSigned = static_cast<From>(-1) < From{0};
  constexpr From kHighest = static_cast<From>(kSigned ? ~0ull >> (65 - 8 * sizeof(From)) : ~0ull);
  constexpr To kLimit = static_cast<To>(kHighest / 2 + 1) * 2;
  const To nearest = static_cast<To>(n);
  if (nearest >= kLimit) return directed<kMode>(nearest, true, false, false);
  const From back = static_cast<From>(nearest);
  return directed<kMode>(nearest, back > n, back < n, n < From{0});
}

}  // namespace hipaudit::math

// Floating point to integer: NAME_rn, _rz, _ru and _rd.
#define HIPAUDIT_TO_INTEGER(NAME, FROM, TO)                                  \
  HIPAUDIT_DEVICE TO NAME##_rn(FROM x) {                                     \
    return hipaudit::math::saturate<TO>(__builtin_elementwise_roundeven(x)); \
  }                                                                          \
  HIPAUDIT_DEVICE TO NAME##_rz(FROM x) {                                     \
    return hipaudit::math::saturate<TO>(__builtin_elementwise_trunc(x));     \
  }                                                                          \
  HIPAUDIT_DEVICE TO NAME##_ru(FROM x) {                                     \
    return hipaudit::math::saturate<TO>(__builtin_elementwise_ceil(x));      \
  }                                                                          \
  HIPAUDIT_DEVICE TO NAME##_rd(FROM x) {                                     \
    return hipaudit::math::saturate<TO>(__builtin_elementwise_floor(x));     \
  }

HIPAUDIT_TO_INTEGER(__float2int, float, int)
HIPAUDIT_TO_INTEGER(__float2uint, float, unsigned)
HIPAUDIT_TO_INTEGER(__float2ll, float, long long)
HIPAUDIT_TO_INTEGER(__float2ull, float, unsigned long long)
HIPAUDIT_TO_INTEGER(__double2int, double, int)
HIPAUDIT_TO_INTEGER(__double2uint, double, unsigned)
HIPAUDIT_TO_INTEGER(__double2ll, double, long long)
HIPAUDIT_TO_INTEGER(__double2ull, double, unsigned long long)
#undef HIPAUDIT_TO_INTEGER

#define HIPAUDIT_FROM_INTEGER(NAME, FROM, TO)                          \
  HIPAUDIT_DEVICE TO NAME##_rn(FROM n) { return static_cast<TO>(n); }  \
  HIPAUDIT_DEVICE TO NAME##_rz(FROM n) {                               \
    return hipaudit::math::from_integer<hipaudit::math::kZero, TO>(n); \
  }                                                                    \
  HIPAUDIT_DEVICE TO NAME##_ru(FROM n) {                               \
    return hipaudit::math::from_integer<hipaudit::math::kUp, TO>(n);   \
  }                                                                    \
  HIPAUDIT_DEVICE TO NAME##_rd(FROM n) {                               \
    return hipaudit::math::from_integer<hipaudit::math::kDown, TO>(n); \
  }

HIPAUDIT_FROM_INTEGER(__int2float, int, float)
HIPAUDIT_FROM_INTEGER(__uint2float, unsigned, float)
HIPAUDIT_FROM_INTEGER(__ll2float, long long, float)
HIPAUDIT_FROM_INTEGER(__ull2float, unsigned long long, float)
HIPAUDIT_FROM_INTEGER(__ll2double, long long, double)
HIPAUDIT_FROM_INTEGER(__ull2double, unsigned long long, double)
#undef HIPAUDIT_FROM_INTEGER

HIPAUDIT_DEVICE double __int2double_rn(int n) { return n; }
HIPAUDIT_DEVICE double __uint2double_rn(unsigned n) { return n; }
HIPAUDIT_DEVICE float __double2float_rn(double x) { return static_cast<float>(x); }
HIPAUDIT_DEVICE float __double2float_rz(double x) {
  return hipaudit::math::to_float<hipaudit::math::kZero>(x);
}
HIPAUDIT_DEVICE float __double2float_ru(double x) {
  return hipaudit::math::to_float<hipaudit::math::kUp>(x);
}
HIPAUDIT_DEVICE float __double2float_rd(double x) {
  return hipaudit::math::to_float<hipaudit::math::kDown>(x);
}

// The same bits as another type.
HIPAUDIT_DEVICE int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
HIPAUDIT_DEVICE unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
HIPAUDIT_DEVICE float __int_as_float(int n) { return __builtin_bit_cast(float, n); }
HIPAUDIT_DEVICE float __uint_as_float(unsigned n) { return __builtin_bit_cast(float, n); }
HIPAUDIT_DEVICE long long __double_as_longlong(double x) {
  return __builtin_bit_cast(long long, x);
}
HIPAUDIT_DEVICE double __longlong_as_double(long long n) { return __builtin_bit_cast(double, n); }
HIPAUDIT_DEVICE int __double2hiint(double x) {
  return static_cast<int>(hipaudit::math::bits_of(x) >> 32);
}
HIPAUDIT_DEVICE int __double2loint(double x) {
  return static_cast<int>(hipaudit::math::bits_of(x));
}
HIPAUDIT_DEVICE double __hiloint2double(int high, int low) {
  return hipaudit::math::from_bits((static_cast<unsigned long long>(high) << 32) |
                                   static_cast<unsigned>(low));
}

// x op y with each rounding; `kernel(x, y)` in C++ may contract, these do not.
#define HIPAUDIT_ROUNDED(NAME, TYPE, OPERATOR, FUNCTION)                       \
  HIPAUDIT_LIBRARY TYPE FUNCTION(TYPE x, TYPE y, int rounding) noexcept;       \
  HIPAUDIT_DEVICE TYPE NAME##_rn(TYPE x, TYPE y) { return x OPERATOR y; }      \
  HIPAUDIT_DEVICE TYPE NAME##_rd(TYPE x, TYPE y) { return FUNCTION(x, y, 1); } \
  HIPAUDIT_DEVICE TYPE NAME##_ru(TYPE x, TYPE y) { return FUNCTION(x, y, 2); } \
  HIPAUDIT_DEVICE TYPE NAME##_rz(TYPE x, TYPE y) { return FUNCTION(x, y, 3); }

HIPAUDIT_ROUNDED(__fadd, float, +, hipaudit_rounded_addf)
HIPAUDIT_ROUNDED(__fsub, float, -, hipaudit_rounded_subf)
HIPAUDIT_ROUNDED(__fmul, float, *, hipaudit_rounded_mulf)
HIPAUDIT_ROUNDED(__fdiv, float, /, hipaudit_rounded_divf)
HIPAUDIT_ROUNDED(__dadd, double, +, hipaudit_rounded_add)
HIPAUDIT_ROUNDED(__dsub, double, -, hipaudit_rounded_sub)
HIPAUDIT_ROUNDED(__dmul, double, *, hipaudit_rounded_mul)
HIPAUDIT_ROUNDED(__ddiv, double, /, hipaudit_rounded_div)
#undef HIPAUDIT_ROUNDED

// One argument, or three, with each rounding.
#define HIPAUDIT_ROUNDED_AS(NAME, PARAMETERS, TYPE, NEAREST, FUNCTION, ...)      \
  HIPAUDIT_DEVICE TYPE NAME##_rn PARAMETERS { return NEAREST; }                  \
  HIPAUDIT_DEVICE TYPE NAME##_rd PARAMETERS { return FUNCTION(__VA_ARGS__, 1); } \
  HIPAUDIT_DEVICE TYPE NAME##_ru PARAMETERS { return FUNCTION(__VA_ARGS__, 2); } \
  HIPAUDIT_DEVICE TYPE NAME##_rz PARAMETERS { return FUNCTION(__VA_ARGS__, 3); }

HIPAUDIT_LIBRARY float hipaudit_rounded_sqrtf(float ignored, float x, int rounding) noexcept;
HIPAUDIT_LIBRARY double hipaudit_rounded_sqrt(double ignored, double x, int rounding) noexcept;
HIPAUDIT_LIBRARY float hipaudit_rounded_fmaf(float x, float y, float z, int rounding) noexcept;
HIPAUDIT_LIBRARY double hipaudit_rounded_fma(double x, double y, double z, int rounding) noexcept;

HIPAUDIT_ROUNDED_AS(__frcp, (float x), float, 1.0f / x, hipaudit_rounded_divf, 1.0f, x)
HIPAUDIT_ROUNDED_AS(__drcp, (double x), double, 1.0 / x, hipaudit_rounded_div, 1.0, x)
HIPAUDIT_ROUNDED_AS(__fsqrt, (float x), float, __builtin_elementwise_sqrt(x),
                    hipaudit_rounded_sqrtf, x, x)
HIPAUDIT_ROUNDED_AS(__dsqrt, (double x), double, __builtin_elementwise_sqrt(x),
                    hipaudit_rounded_sqrt, x, x)
HIPAUDIT_ROUNDED_AS(__fmaf, (float x, float y, float z), float, __builtin_elementwise_fma(x, y, z),
                    hipaudit_rounded_fmaf, x, y, z)
HIPAUDIT_ROUNDED_AS(__fma, (double x, double y, double z), double,
                    __builtin_elementwise_fma(x, y, z), hipaudit_rounded_fma, x, y, z)
#undef HIPAUDIT_ROUNDED_AS

HIPAUDIT_EXACT_END
