// What the files of the device's double-precision math share. All of it works in double-double and
// is rounded to double once, by the function that a kernel calls.
#pragma once

#include <stdint.h>

#include "math_double_double.h"

// A function that kernels may call by name; the loader finds it in kMathSymbols (math.h).
#define HIPAUDIT_MATH_EXPORT extern "C"

namespace hipaudit::math {

inline constexpr double kInfinity = __builtin_inf();
inline constexpr double kNaN = __builtin_nan("");
inline constexpr uint64_t kSignBit = 1ull << 63;
inline constexpr uint64_t kInfinityBits = 0x7ffull << 52;

inline uint64_t bits_of(double x) { return __builtin_bit_cast(uint64_t, x); }
inline double from_bits(uint64_t bits) { return __builtin_bit_cast(double, bits); }
inline bool is_nan(double x) { return (bits_of(x) & ~kSignBit) > kInfinityBits; }
inline bool is_infinite(double x) { return (bits_of(x) & ~kSignBit) == kInfinityBits; }
inline bool is_finite(double x) { return (bits_of(x) & ~kSignBit) < kInfinityBits; }
inline bool is_negative(double x) { return (bits_of(x) & kSignBit) != 0; }
inline double with_sign(double x, double sign) {
  return from_bits((bits_of(x) & ~kSignBit) | (bits_of(sign) & kSignBit));
}
inline double nearest(double x) { return __builtin_elementwise_roundeven(x); }

// 2^exponent for a normal result, -1022 <= exponent <= 1023.
inline double power_of_two(int exponent) {
  return from_bits(static_cast<uint64_t>(exponent + 1023) << 52);
}

// floor(log2 |x|) of a finite x that is not 0, subnormals included.
inline int exponent_of(double x) {
  uint64_t bits = bits_of(x) & ~kSignBit;
  if (bits < (1ull << 52)) return 63 - __builtin_clzll(bits) - 1074;
  return static_cast<int>(bits >> 52) - 1023;
}

// Whether x is an integer: 0 no, 1 odd, 2 even. Every double from 2^53 on is even.
inline int integer_kind(double x) {
  double size = magnitude(x);
  if (size >= 0x1p53) return 2;
  if (__builtin_elementwise_trunc(size) != size) return 0;
  return (static_cast<uint64_t>(size) & 1) != 0 ? 1 : 2;
}

// m 2^k, for results whose exponent may leave double's range before the last rounding.
struct Scaled {
  Dd m;
  int k;
};

// x 2^k in one rounding, for any k.
double scale_by(double x, int k);
// m 2^k rounded to double, overflow and gradual underflow included.
double scaled_value(Scaled a);
inline Scaled scaled_product(Scaled a, Dd b) { return {multiply(a.m, b), a.k}; }

// math_exp.cpp: e^x for |x| < 1500, m in [0.98, 2.02); relative error 2^-67.
Scaled exp_dd(Dd x);
// e^x - 1 for |x| < 700, with small relative error near 0 too.
Dd expm1_dd(Dd x);

// The bits of 181/256, where the first row of kLogTable begins.
inline constexpr uint64_t kLogFirst = 0x3fe6a00000000000u;

// math_log.cpp: ln(x) for positive normal x.hi; relative error 2^-66 near 1 too.
Dd log_dd(Dd x);
// ln(x) for any finite positive x.
Dd log_of(double x);
// ln(1 + x) for x > -1, with small relative error near 0 too.
Dd log1p_dd(Dd x);

// math_reduce.cpp: x = (4 n + quadrant) pi/2 + r, |r| <= pi/4 (a little more at a boundary).
struct Reduced {
  Dd r;
  int quadrant;
};
Reduced reduce_half_pi(double x);
// x pi = (4 n + quadrant) pi/2 + r.
Reduced reduce_pi_multiple(double x);

// math_trig.cpp: sine and cosine for |r| <= 0.8125, relative error 2^-60.
struct SinCos {
  Dd sin;
  Dd cos;
};
SinCos sincos_dd(Dd r);
// Sine and cosine of the angle that a reduction describes.
SinCos sincos_reduced(Reduced a);
// The angle of (x, y) for x, y >= 0 near 1 in size, in [0, pi/2]; relative error 2^-59.
Dd atan2_dd(Dd y, Dd x);

// math_erf.cpp: erf for |x| <= 1 and erfc for 0.5 <= x <= 27.5.
Dd erf_small_dd(Dd x);
Scaled erfc_large_dd(Dd x);
// e^(x^2) erfc(x) for x >= 0.
Dd erfcx_dd(Dd x);

// What math_log.cpp offers to kernels, and to the float form too.
HIPAUDIT_MATH_EXPORT double hipaudit_pow(double x, double y);

}  // namespace hipaudit::math
