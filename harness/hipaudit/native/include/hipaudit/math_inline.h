// The hot functions of single precision, computed in double without tables and rounded to float
// once: error below 0.501 ulp, subnormals included. No memory is read, so that checked builds have
// nothing to trace, and only the reduction of a huge angle branches, so that loops over them
// vectorise. Argument reduction: Cody and Waite, Software Manual for the Elementary Functions
// (1980). Polynomials: our own, see math_coefficients.h.
#pragma once

#include "math_coefficients.h"
#include "math_core.h"

HIPAUDIT_EXACT_BEGIN

namespace hipaudit::math {

// Adding this rounds to an integer, whose two's complement is then in the low bits.
inline constexpr double kRounder = 0x1.8p52;

struct ReducedAngle {
  double rest;
  long long quadrant;
};
extern "C" __device__ __attribute__((const)) ReducedAngle
hipaudit_reduce_half_pi(double x) noexcept;

// A choice between bits: under -ffast-math clang lets `?:` between numbers, and unary minus, lose
// the sign of a zero whatever the pragmas say.
HIPAUDIT_DEVICE double choose(bool condition, double x, double y) {
  return from_bits(condition ? bits_of(x) : bits_of(y));
}

// NaN stays NaN.
HIPAUDIT_DEVICE double clamp(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// e^r = 1 + r times this, |r| <= ln(2)/2.
HIPAUDIT_DEVICE double exp_quotient(double r) {
  const double z = r * r;
  const double low = fused(fused(kExp3, r, kExp2), z, fused(kExp1, r, kExp0));
  const double high = fused(fused(kExp7, r, kExp6), z, fused(kExp5, r, kExp4));
  return fused(high, z * z, low);
}

// 2^k for the k that adding kRounder put into the low bits.
HIPAUDIT_DEVICE double power_from(double rounded) {
  return from_bits((bits_of(rounded) + 1023) << 52);
}

// 2^k e^r - less, where k is in `rounded`.
HIPAUDIT_DEVICE double exp_joined(double rounded, double r, double less) {
  const double power = power_from(rounded);
  return fused(r * exp_quotient(r), power, power - less);
}

// e^x - less for |x| < 700; exact to 2^-37.
HIPAUDIT_DEVICE double exp_of(double x, double less) {
  const double rounded = fused(x, kLog2E, kRounder);
  return exp_joined(rounded, fused(-(rounded - kRounder), kLn2, x), less);
}

// 2^x for |x| < 1000; exact where x is an integer.
HIPAUDIT_DEVICE double exp2_of(double x) {
  const double rounded = x + kRounder;
  return exp_joined(rounded, (x - (rounded - kRounder)) * kLn2, 0.0);
}

HIPAUDIT_DEVICE float exp_float(float x) {
  return static_cast<float>(exp_of(clamp(static_cast<double>(x), -105.0, 90.0), 0.0));
}

HIPAUDIT_DEVICE float exp2_float(float x) {
  return static_cast<float>(exp2_of(clamp(static_cast<double>(x), -152.0, 130.0)));
}

HIPAUDIT_DEVICE float exp10_float(float x) {
  return static_cast<float>(exp2_of(clamp(static_cast<double>(x) * kLog2Ten, -152.0, 130.0)));
}

HIPAUDIT_DEVICE float expm1_float(float x) {
  return with_sign(static_cast<float>(exp_of(clamp(static_cast<double>(x), -105.0, 90.0), 1.0)), x);
}

// t/(t + 2), t = e^(2|x|) - 1
HIPAUDIT_DEVICE float tanh_float(float x) {
  const double t = exp_of(clamp(2.0 * magnitude(static_cast<double>(x)), 0.0, 40.0), 1.0);
  return with_sign(static_cast<float>(t / (t + 2.0)), x);
}

struct LogParts {
  double exponent;
  double log_mantissa;
};

// ln x = exponent ln 2 + log_mantissa with the mantissa in [sqrt(1/2), sqrt 2), for normal x > 0:
// ln m = 2 atanh((m - 1)/(m + 1)).
HIPAUDIT_DEVICE LogParts log_parts(double x) {
  constexpr Bits kRootHalf = 0x3fe6a09e667f3bcdu;
  constexpr Bits kBias = 0x7d0ull << 52;
  const Bits offset = bits_of(x) - kRootHalf + kBias;
  const double exponent = from_bits((offset >> 52) | 0x4330000000000000u) - (0x1p52 + 0x7d0);
  const double m = from_bits(bits_of(x) - ((offset & 0xfff0000000000000u) - kBias));
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  const double low = fused(kLog1, z, kLog0);
  const double high = fused(fused(kLog5, z, kLog4), z * z, fused(kLog3, z, kLog2));
  return {exponent, s * fused(high, z * z, low)};
}

// The logarithm found for a positive finite x, or what IEEE 754 says for the others.
HIPAUDIT_DEVICE float log_checked(float x, double found) {
  const float other = x == 0.0f ? -__builtin_inff() : is_negative(x) ? __builtin_nanf("") : x;
  return x > 0.0f && is_finite(x) ? static_cast<float>(found) : other;
}

HIPAUDIT_DEVICE float log_float(float x) {
  const LogParts parts = log_parts(static_cast<double>(x));
  return log_checked(x, fused(parts.exponent, kLn2, parts.log_mantissa));
}

HIPAUDIT_DEVICE float log2_float(float x) {
  const LogParts parts = log_parts(static_cast<double>(x));
  return log_checked(x, fused(parts.log_mantissa, kLog2E, parts.exponent));
}

HIPAUDIT_DEVICE float log10_float(float x) {
  const LogParts parts = log_parts(static_cast<double>(x));
  return log_checked(x, fused(parts.exponent, kLn2, parts.log_mantissa) * kLog10E);
}

// x = quadrant pi/2 + rest; any quadrant modulo 4.
HIPAUDIT_DEVICE ReducedAngle reduce_angle(float value) {
  const double x = static_cast<double>(value);
  if (__builtin_expect(!(magnitude(x) < 0x1p28), 0)) return hipaudit_reduce_half_pi(x);
  const double rounded = fused(x, kTwoOverPi, kRounder);
  const double k = rounded - kRounder;
  const double rest = fused(k, -kHalfPiLow, fused(k, -kHalfPiHigh, x));
  return {rest, static_cast<long long>(bits_of(rounded))};
}

// x pi = quadrant pi/2 + rest. Every float from 2^24 on is an even integer.
HIPAUDIT_DEVICE ReducedAngle reduce_turn(float value) {
  const double x = choose(magnitude(value) < 0x1p24f, value, 0.0 * value);
  const double rounded = 2.0 * x + kRounder;
  const double rest = (x - 0.5 * (rounded - kRounder)) * kPi;
  return {rest, static_cast<long long>(bits_of(rounded))};
}

HIPAUDIT_DEVICE double sin_of_rest(double r) {
  const double z = r * r;
  const double low = fused(kSin1, z, kSin0);
  const double high = fused(fused(kSin4, z, kSin3), z, kSin2);
  return r * fused(fused(high, z * z, low), z, 1.0);
}

HIPAUDIT_DEVICE double cos_of_rest(double r) {
  const double z = r * r;
  const double low = fused(kCos1, z, kCos0);
  const double high = fused(kCos3, z, kCos2);
  return fused(fused(high, z * z, low), z * z, fused(z, -0.5, 1.0));
}

// The sine of rest + quadrant pi/2.
HIPAUDIT_DEVICE double sin_turned(double rest, long long quadrant) {
  const double part = choose((quadrant & 1) != 0, cos_of_rest(rest), sin_of_rest(rest));
  return from_bits(bits_of(part) ^ (static_cast<Bits>(quadrant & 2) << 62));
}

HIPAUDIT_DEVICE float sin_float(float x) {
  const ReducedAngle a = reduce_angle(x);
  return static_cast<float>(sin_turned(a.rest, a.quadrant));
}

HIPAUDIT_DEVICE float cos_float(float x) {
  const ReducedAngle a = reduce_angle(x);
  return static_cast<float>(sin_turned(a.rest, a.quadrant + 1));
}

HIPAUDIT_DEVICE float tan_float(float x) {
  const ReducedAngle a = reduce_angle(x);
  const double s = sin_of_rest(a.rest);
  const double c = cos_of_rest(a.rest);
  return static_cast<float>(choose((a.quadrant & 1) != 0, -c / s, s / c));
}

// Zeros have the argument's sign for the sine and are positive for the cosine: IEEE
// 754-2019, 9.2.1.
HIPAUDIT_DEVICE float sinpi_float(float x) {
  const ReducedAngle a = reduce_turn(x);
  const float value = static_cast<float>(sin_turned(a.rest, a.quadrant));
  return from_bits(value == 0.0f ? bits_of(with_sign(0.0f, x)) : bits_of(value));
}

HIPAUDIT_DEVICE float cospi_float(float x) {
  const ReducedAngle a = reduce_turn(x);
  return static_cast<float>(sin_turned(a.rest, a.quadrant + 1)) + 0.0f;
}

HIPAUDIT_DEVICE float rsqrt_float(float x) {
  return static_cast<float>(1.0 / __builtin_elementwise_sqrt(static_cast<double>(x)));
}

}  // namespace hipaudit::math

HIPAUDIT_EXACT_END
