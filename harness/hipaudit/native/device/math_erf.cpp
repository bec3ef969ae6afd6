// The error function and its kin. erf(x)/x below 1 and erfcx(x) (x + 2) above, each from a table of
// short polynomials (as in Johnson's Faddeeva package, with our own variable u = 1/(x + 2) and
// coefficients); the inverses by Newton's method on ln erfc.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

// A table's row about its middle: c0 high, c0 low, c1 ... in powers of t.
Dd row_value(const double* row, int degree, double t) {
  double slope = horner(t, row + 2, degree);
  return fast_two_sum(row[0], fused(slope, t, row[1]));
}

// erfc(x)/2^k for any x of moderate size.
Scaled erfc_dd(Dd x) {
  if (x.hi > 0.75) return erfc_large_dd(x);
  if (x.hi >= -0.75) return {add(negate(erf_small_dd(x)), 1.0), 0};
  if (x.hi < -6.5) return {{2.0, 0.0}, 0};
  Scaled upper = erfc_large_dd(negate(x));
  return {add(scale(negate(upper.m), power_of_two(upper.k)), 2.0), 0};
}

// Where erfc(x) is below half of the smallest subnormal.
constexpr double kErfcZero = 27.3;

// A first y with erfc(y) = q, to 1 %: Winitzki, A handy approximation for the error function
// (2008).
double rough_erfc_inverse(double log_term) {
  double half = 4.3307 + 0.5 * log_term;  // 2/(pi a), a = 0.147
  return square_root(square_root(half * half - log_term * (1.0 / 0.147)) - half);
}

// y >= 0 with erfc(y) = q for 0 < q <= 0.5: Newton on ln erfc(y) - ln q, which is nearly quadratic.
Dd erfc_inverse_tail(double q) {
  Dd log_q = log_of(q);
  Dd y = {rough_erfc_inverse(value(add(log_q, log_of(2.0 - q)))), 0.0};
  for (int i = 0; i < 4; ++i) {
    Dd scaled = erfcx_dd(y);
    Dd error = subtract(subtract(log_dd(scaled), square(y)), log_q);
    y = add(y, value(error) * scaled.hi / kTwoOverSqrtPi.hi);
  }
  return y;
}

// y with erf(y) = x for 0 < x <= 0.5.
Dd erf_inverse_centre(double x) {
  Dd y = {rough_erfc_inverse(value(log1p_dd(negate(two_product(x, x))))), 0.0};
  if (x < 0x1p-20) y = {x / kTwoOverSqrtPi.hi, 0.0};
  for (int i = 0; i < 4; ++i) {
    double error = value(add(erf_small_dd(y), -x));
    Scaled e = exp_dd(square(y));
    y = add(y, -error / kTwoOverSqrtPi.hi * e.m.hi * power_of_two(e.k));
  }
  return y;
}

// y with erfc(y) = q for 0 < q < 2.
Dd erfc_inverse(double q) {
  if (q < 0.5) return erfc_inverse_tail(q);
  if (q > 1.5) return negate(erfc_inverse_tail(2.0 - q));
  double x = 1.0 - q;
  if (x == 0.0) return {0.0, 0.0};
  return x > 0.0 ? erf_inverse_centre(x) : negate(erf_inverse_centre(-x));
}

}  // namespace

Dd erf_small_dd(Dd x) {
  Dd z = square(x);
  int row = static_cast<int>(z.hi * 8.0);
  if (row > 7) row = 7;
  double t = (z.hi - (row + 0.5) * 0.125) + z.lo;
  return multiply(row_value(kErfTable + 10 * row, 8, t), x);
}

Dd erfcx_dd(Dd x) {
  Dd u = reciprocal(add(x, 2.0));
  int row = static_cast<int>(u.hi * 32.0);
  if (row > 15) row = 15;
  double t = (u.hi - (row + 0.5) * 0.03125) + u.lo;
  return multiply(row_value(kErfcxTable + 13 * row, 11, t), u);
}

Scaled erfc_large_dd(Dd x) { return scaled_product(exp_dd(negate(square(x))), erfcx_dd(x)); }

HIPAUDIT_MATH_EXPORT double hipaudit_erf(double x) {
  double size = magnitude(x);
  if (is_nan(x)) return x;
  if (size < 0x1p-1000) return scale_by(x * 0x1p600 * kTwoOverSqrtPi.hi, -600);
  if (size <= 1.0) return value(erf_small_dd({x, 0.0}));
  if (size > 6.0) return with_sign(1.0, x);
  Scaled rest = erfc_large_dd({size, 0.0});
  return with_sign(value(add(scale(negate(rest.m), power_of_two(rest.k)), 1.0)), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_erfc(double x) {
  if (is_nan(x)) return x;
  if (x > kErfcZero) return 0.0;
  if (x < -6.5) return 2.0;
  return scaled_value(erfc_dd({x, 0.0}));
}

HIPAUDIT_MATH_EXPORT double hipaudit_erfcx(double x) {
  if (is_nan(x) || x == -kInfinity) return is_nan(x) ? x : kInfinity;
  if (x > 0x1p60) return 0.5 * kTwoOverSqrtPi.hi / x;
  if (x >= 0.0) return value(erfcx_dd({x, 0.0}));
  if (x < -26.7) return kInfinity;
  // e^(x^2) (2 - erfc(-x)), the last as e^(-x^2) erfcx(-x)
  Scaled e = exp_dd(two_product(x, x));
  Dd rest = erfcx_dd({-x, 0.0});
  if (e.k > 200) return scaled_value({e.m, e.k + 1});
  return value(subtract(scale(e.m, power_of_two(e.k + 1)), rest));
}

HIPAUDIT_MATH_EXPORT double hipaudit_normcdf(double x) {
  if (is_nan(x)) return x;
  if (x < -38.6) return 0.0;
  if (x > 9.0) return 1.0;
  Scaled twice = erfc_dd(negate(multiply(kSqrtHalf, x)));
  return scaled_value({twice.m, twice.k - 1});
}

HIPAUDIT_MATH_EXPORT double hipaudit_erfcinv(double q) {
  if (is_nan(q)) return q;
  if (q < 0.0 || q > 2.0) return kNaN;
  if (q == 0.0) return kInfinity;
  if (q == 2.0) return -kInfinity;
  return value(erfc_inverse(q));
}

HIPAUDIT_MATH_EXPORT double hipaudit_erfinv(double x) {
  double size = magnitude(x);
  if (is_nan(x) || x == 0.0) return x;
  if (size > 1.0) return kNaN;
  if (size == 1.0) return with_sign(kInfinity, x);
  if (size < 0x1p-500) return scale_by(x * 0x1p600 / kTwoOverSqrtPi.hi, -600);
  return with_sign(value(size <= 0.5 ? erf_inverse_centre(size) : erfc_inverse_tail(1.0 - size)),
                   x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_normcdfinv(double p) {
  if (is_nan(p)) return p;
  if (p < 0.0 || p > 1.0) return kNaN;
  if (p == 0.0) return -kInfinity;
  if (p == 1.0) return kInfinity;
  return value(multiply(negate(kSqrtTwo), erfc_inverse(2.0 * p)));
}

}  // namespace hipaudit::math
