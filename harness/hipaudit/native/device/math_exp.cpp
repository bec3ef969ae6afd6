// Exponentials and hyperbolic functions. Tang, Table-driven implementation of the exponential
// function in IEEE floating-point arithmetic, ACM TOMS 15 (1989), carried in double-double:
// e^x = 2^(k/64) e^r, |r| <= ln(2)/128.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

// (e^r - 1 - r - r^2/2)/r^3
constexpr double kExpTail[] = {1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320};
// (e^x - 1 - x - x^2/2)/x^3, to |x| = 2^-4
constexpr double kExpm1Tail[] = {1.0 / 6,        1.0 / 24,       1.0 / 120,    1.0 / 720,
                                 1.0 / 5040,     1.0 / 40320,    1.0 / 362880, 1.0 / 3628800,
                                 1.0 / 39916800, 1.0 / 479001600};
// (sinh x - x)/x^3 in x^2, to |x| = 2^-4
constexpr double kSinhTail[] = {1.0 / 6, 1.0 / 120, 1.0 / 5040, 1.0 / 362880, 1.0 / 39916800};
// (tanh x - x)/x^3 in x^2, to |x| = 2^-5
constexpr double kTanhTail[] = {-1.0 / 3,    2.0 / 15,         -17.0 / 315,
                                62.0 / 2835, -1382.0 / 155925, 21844.0 / 6081075};

// Where e^x overflows, and where it rounds to 0.
constexpr double kExpOverflow = 0x1.62e42fefa39fp+9;
constexpr double kExpUnderflow = -0x1.74910d52d3052p+9;

// e^x of a double-double whose size any double may have.
double exp_rounded(Dd x) {
  if (x.hi > kExpOverflow) return kInfinity;
  if (x.hi < kExpUnderflow) return 0.0;
  return scaled_value(exp_dd(x));
}

// x + x^3 tail(x^2): for odd functions near 0.
double odd_series(double x, const double* tail, int count) {
  double z = x * x;
  return x + x * z * horner(z, tail, count);
}

// (e^x + sign e^-x)/2 for x > 0: one that overflows only when the result does.
double half_sum(double x, double sign) {
  if (x > 711.0) return kInfinity;
  Scaled e = exp_dd({x, 0.0});
  Dd sum = e.m;
  if (x < 40.0) sum = add(sum, scale(reciprocal(e.m), sign * power_of_two(-2 * e.k)));
  return scaled_value({sum, e.k - 1});
}

}  // namespace

double scale_by(double x, int k) {
  if (k > 2200) k = 2200;
  if (k < -2200) k = -2200;
  for (; k > 1023; k -= 1023) x *= 0x1p1023;
  // Two steps below the normal range would round twice: bring x up to [1, 2) first.
  if (k < -1022) {
    if (x == 0.0 || !is_finite(x)) return x;
    int exponent = exponent_of(x);
    if (exponent + k < -1080) return with_sign(0.0, x);
    if (exponent + k >= -1022) return x * power_of_two(k / 2) * power_of_two(k - k / 2);
    x = exponent > 0 ? x * power_of_two(-exponent) : x * 0x1p600 * power_of_two(-exponent - 600);
    k += exponent;
    return x * 0x1p-1000 * power_of_two(k + 1000);
  }
  return x * power_of_two(k);
}

double scaled_value(Scaled a) {
  if (a.m.hi == 0.0 || !is_finite(a.m.hi)) return a.m.hi;
  int exponent = exponent_of(a.m.hi);
  a = {scale(a.m, power_of_two(-exponent)), a.k + exponent};
  if (a.k > 1000) return value(a.m) * 0x1p1000 * power_of_two(a.k > 2000 ? 1000 : a.k - 1000);
  if (a.k > -1022) return value(a.m) * power_of_two(a.k);
  if (a.k < -1200) return with_sign(0.0, a.m.hi);
  // A subnormal result: rounded once, to an integer of the smallest subnormals.
  Dd count = scale(a.m, power_of_two(a.k + 1074 < -900 ? -900 : a.k + 1074));
  double whole = nearest(count.hi);
  double rest = (count.hi - whole) + count.lo;
  if (rest > 0.5) whole += 1.0;
  if (rest < -0.5) whole -= 1.0;
  return with_sign(from_bits(static_cast<uint64_t>(magnitude(whole))), a.m.hi);
}

Scaled exp_dd(Dd x) {
  double k = nearest(x.hi * 0x1.71547652b82fep+6);
  double top = fused(-k, kLn2Over64Parts[0], x.hi);
  Dd middle = two_product(k, kLn2Over64Parts[1]);
  Dd r = two_sum(top, -middle.hi);
  r = fast_two_sum(r.hi, r.lo + (x.lo - middle.lo - k * kLn2Over64Parts[2]));
  Dd half_square = scale(square(r), 0.5);
  double tail = r.hi * r.hi * r.hi * horner(r.hi, kExpTail, 6);
  Dd sum = add(r, add(half_square, tail));
  int64_t steps = static_cast<int64_t>(k);
  const double* row = kExpTable + 2 * (steps & 63);
  Dd power = {row[0], row[1]};
  return {add(power, multiply(power, sum)), static_cast<int>(steps >> 6)};
}

Dd expm1_dd(Dd x) {
  if (magnitude(x.hi) < 0x1p-4) {
    double cube = x.hi * x.hi * x.hi;
    return add(add(x, scale(square(x), 0.5)), cube * horner(x.hi, kExpm1Tail, 10));
  }
  Scaled e = exp_dd(x);
  if (e.k < -200) return {-1.0, 0.0};
  return add(scale(e.m, power_of_two(e.k)), -1.0);
}

HIPAUDIT_MATH_EXPORT double hipaudit_exp(double x) {
  if (is_nan(x)) return x;
  return exp_rounded({x, 0.0});
}

HIPAUDIT_MATH_EXPORT double hipaudit_exp2(double x) {
  if (is_nan(x)) return x;
  if (x >= 1024.0) return kInfinity;
  if (x < -1075.0) return 0.0;
  double whole = nearest(x);
  Scaled e = exp_dd(multiply(kLn2Dd, x - whole));
  return scaled_value({e.m, e.k + static_cast<int>(whole)});
}

HIPAUDIT_MATH_EXPORT double hipaudit_exp10(double x) {
  if (is_nan(x)) return x;
  if (x > 310.0) return kInfinity;
  if (x < -325.0) return 0.0;
  return exp_rounded(multiply(kLn10Dd, x));
}

HIPAUDIT_MATH_EXPORT double hipaudit_expm1(double x) {
  if (is_nan(x) || magnitude(x) < 0x1p-54) return x;
  if (x > 700.0) return hipaudit_exp(x);
  if (x < -40.0) return -1.0;
  return value(expm1_dd({x, 0.0}));
}

HIPAUDIT_MATH_EXPORT double hipaudit_sinh(double x) {
  double size = magnitude(x);
  if (is_nan(x) || size < 0x1p-27) return x;
  if (size < 0x1p-4) return odd_series(x, kSinhTail, 5);
  return with_sign(half_sum(size, -1.0), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_cosh(double x) {
  if (is_nan(x)) return x;
  return half_sum(magnitude(x), 1.0);
}

HIPAUDIT_MATH_EXPORT double hipaudit_tanh(double x) {
  double size = magnitude(x);
  if (is_nan(x) || size < 0x1p-27) return x;
  if (size < 0x1p-5) return odd_series(x, kTanhTail, 6);
  if (size > 20.0) return with_sign(1.0, x);
  Scaled e = exp_dd({2.0 * size, 0.0});
  Dd sum = add(scale(e.m, power_of_two(e.k)), 1.0);
  return with_sign(value(add(negate(divide(Dd{2.0, 0.0}, sum)), 1.0)), x);
}

}  // namespace hipaudit::math
