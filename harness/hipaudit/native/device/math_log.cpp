// Logarithms, powers, roots and the inverse hyperbolic functions. Tang, Table-driven implementation
// of the logarithm function in IEEE floating-point arithmetic, ACM TOMS 16 (1990), carried in
// double-double: x = 2^k z, z c = 1 + r with c from a table, ln x = k ln 2 - ln c + ln(1 + r).
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

// (ln(1 + r) - r + r^2/2)/r^3 for |r| <= 2^-7
constexpr double kLogTail[] = {1.0 / 3,  -1.0 / 4, 1.0 / 5,   -1.0 / 6, 1.0 / 7,
                               -1.0 / 8, 1.0 / 9,  -1.0 / 10, 1.0 / 11, -1.0 / 12};
// ln(1 + r), |r| <= 2^-7, with small relative error.
Dd log1p_small(Dd r) {
  double cube = r.hi * r.hi * r.hi;
  return add(add(r, scale(square(r), -0.5)), cube * horner(r.hi, kLogTail, 10));
}

// ln(x) times a constant, for the bases 2 and 10.
double log_in_base(double x, Dd factor) {
  if (is_nan(x) || x == kInfinity) return x;
  if (x == 0.0) return -kInfinity;
  if (x < 0.0) return kNaN;
  return value(multiply(log_of(x), factor));
}

// |x|^y for finite x > 0, x != 1 and finite y.
double power_of(double x, double y, double sign) {
  Dd exponent = multiply(log_of(x), y);
  if (!(magnitude(exponent.hi) < 800.0)) {
    return sign * ((x > 1.0) == (y > 0.0) ? kInfinity : 0.0);
  }
  Scaled e = exp_dd(exponent);
  return scaled_value({scale(e.m, sign), e.k});
}

// x^y where x is 0, infinite or 1, or y 0 or infinite: the cases of IEEE 754-2019, 9.2.1.
double power_special(double x, double y) {
  double size = magnitude(x);
  if (y == 0.0 || x == 1.0) return 1.0;
  if (is_nan(x) || is_nan(y)) return kNaN;
  if (is_infinite(y)) {
    if (size == 1.0) return 1.0;
    return (size > 1.0) == (y > 0.0) ? kInfinity : 0.0;
  }
  double result = (size == 0.0) == (y < 0.0) ? kInfinity : 0.0;
  return is_negative(x) && integer_kind(y) == 1 ? -result : result;
}

// The cube root of x in [1, 8) in double-double: one Newton step from a value good to 2^-50.
Dd cube_root(double x) {
  double y = 0x1.1p-1 + x * (0x1.fp-2 - x * 0x1.18p-5);
  for (int i = 0; i < 5; ++i) y -= (y * y * y - x) / (3.0 * y * y);
  Dd rest = add(multiply(two_product(y, y), y), -x);
  return fast_two_sum(y, -value(rest) / (3.0 * y * y));
}

// x = 8^third rest with rest in [1, 8), for finite positive x.
int split_by_eight(double x, double* rest) {
  int exponent = exponent_of(x);
  int third = (exponent + 1200) / 3 - 400;
  *rest = scale_by(x, -3 * third);
  return third;
}

}  // namespace

Dd log_dd(Dd x) {
  uint64_t offset = bits_of(x.hi) - kLogFirst;
  const double* row = kLogTable + 3 * ((offset >> 45) & 127);
  int64_t k = static_cast<int64_t>(offset) >> 52;
  uint64_t scale_bits = static_cast<uint64_t>(k) << 52;
  double z = from_bits(bits_of(x.hi) - scale_bits);
  Dd product = two_product(z, row[0]);
  Dd r = two_sum(product.hi - 1.0, product.lo);
  if (x.lo != 0.0) r = add(r, x.lo * (z / x.hi) * row[0]);
  Dd log_r = log1p_small(r);
  if (k == 0 && row[0] == 1.0) return log_r;
  double steps = static_cast<double>(k);
  Dd fine = two_product(steps, kLn2Parts[1]);
  Dd sum = add(two_sum(steps * kLn2Parts[0], row[1]), add(fine, row[2] + steps * kLn2Parts[2]));
  return add(sum, log_r);
}

Dd log_of(double x) {
  if (x >= 0x1p-1022) return log_dd({x, 0.0});
  return subtract(log_dd({x * 0x1p54, 0.0}), multiply(kLn2Dd, 54.0));
}

Dd log1p_dd(Dd x) {
  if (magnitude(x.hi) < 0x1p-7) return log1p_small(x);
  return log_dd(add(x, 1.0));
}

HIPAUDIT_MATH_EXPORT double hipaudit_log(double x) { return log_in_base(x, {1.0, 0.0}); }
HIPAUDIT_MATH_EXPORT double hipaudit_log10(double x) { return log_in_base(x, kLog10EDd); }

HIPAUDIT_MATH_EXPORT double hipaudit_log2(double x) {
  if (!(x > 0.0) || !is_finite(x)) return log_in_base(x, kLog2EDd);
  int exponent = exponent_of(x);
  double z = scale_by(x, -exponent);
  if (z > 1.4) z *= 0.5, ++exponent;
  return value(add(multiply(log_dd({z, 0.0}), kLog2EDd), exponent));
}

HIPAUDIT_MATH_EXPORT double hipaudit_log1p(double x) {
  if (is_nan(x) || x == kInfinity || magnitude(x) < 0x1p-54) return x;
  if (x == -1.0) return -kInfinity;
  if (x < -1.0) return kNaN;
  return value(log1p_dd({x, 0.0}));
}

HIPAUDIT_MATH_EXPORT double hipaudit_pow(double x, double y) {
  double size = magnitude(x);
  bool plain = size > 0.0 && is_finite(x) && is_finite(y) && y != 0.0 && x != 1.0;
  if (!plain) return power_special(x, y);
  double sign = 1.0;
  if (x < 0.0) {
    int kind = integer_kind(y);
    if (kind == 0) return kNaN;
    if (kind == 1) sign = -1.0;
  }
  if (size == 1.0) return sign;
  return power_of(size, y, sign);
}

HIPAUDIT_MATH_EXPORT double hipaudit_cbrt(double x) {
  double size = magnitude(x);
  if (size == 0.0 || !is_finite(x)) return x;
  double rest;
  int third = split_by_eight(size, &rest);
  return with_sign(scale_by(value(cube_root(rest)), third), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_rcbrt(double x) {
  double size = magnitude(x);
  if (is_nan(x)) return x;
  if (size == 0.0) return with_sign(kInfinity, x);
  if (size == kInfinity) return with_sign(0.0, x);
  double rest;
  int third = split_by_eight(size, &rest);
  return with_sign(scale_by(value(reciprocal(cube_root(rest))), -third), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_asinh(double x) {
  double size = magnitude(x);
  if (!is_finite(x) || size < 0x1p-28) return x;
  Dd result;
  if (size > 0x1p28) {
    result = add(log_of(size), kLn2Dd);
  } else {
    // ln(1 + x + x^2/(1 + sqrt(1 + x^2)))
    Dd z = two_product(size, size);
    Dd root = square_root(add(z, 1.0));
    result = log1p_dd(add(divide(z, add(root, 1.0)), size));
  }
  return with_sign(value(result), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_acosh(double x) {
  if (is_nan(x) || x == kInfinity) return x;
  if (x < 1.0) return kNaN;
  if (x > 0x1p28) return value(add(log_of(x), kLn2Dd));
  // ln(1 + t + sqrt(2 t + t^2)), t = x - 1
  Dd t = two_sum(x, -1.0);
  return value(log1p_dd(add(t, square_root(add(square(t), scale(t, 2.0))))));
}

HIPAUDIT_MATH_EXPORT double hipaudit_atanh(double x) {
  double size = magnitude(x);
  if (is_nan(x) || size < 0x1p-28) return x;
  if (size > 1.0) return kNaN;
  if (size == 1.0) return with_sign(kInfinity, x);
  Dd ratio = divide(Dd{2.0 * size, 0.0}, two_sum(1.0, -size));
  return with_sign(value(scale(log1p_dd(ratio), 0.5)), x);
}

}  // namespace hipaudit::math
