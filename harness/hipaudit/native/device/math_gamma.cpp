// The gamma function and its logarithm: Stirling's series with Bernoulli numbers (DLMF 5.11.1)
// above 20, recurrence below, reflection for negative arguments (DLMF 5.5.3), and the series in
// zeta(k) - 1 near the zeros at 1 and 2 (DLMF 5.7.3).
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

constexpr double kStirlingFrom = 20.0;

// ln gamma(x) for x.hi >= 20: (x - 1/2) ln x - x + ln(2 pi)/2 + sum.
Dd stirling(Dd x) {
  if (x.hi > 0x1p70) return multiply(add(log_dd(x), -1.0), x);
  double inverse = 1.0 / x.hi;
  double tail = inverse * horner(inverse * inverse, kStirling, 12);
  Dd main = subtract(multiply(add(x, -0.5), log_dd(x)), x);
  return add(main, add(kHalfLogTwoPi, tail));
}

// x (x + 1) ... (x + steps - 1)
Dd rising_product(double x, int steps) {
  Dd product = {1.0, 0.0};
  for (int i = 0; i < steps; ++i) product = multiply(product, two_sum(x, i));
  return product;
}

int steps_to_stirling(double x) {
  return x < kStirlingFrom ? static_cast<int>(kStirlingFrom - x) + 1 : 0;
}

// gamma(x) for 0 < x < 175, scaled.
Scaled gamma_positive(double x) {
  int steps = steps_to_stirling(x);
  Scaled upper = exp_dd(stirling(two_sum(x, steps)));
  if (steps == 0) return upper;
  return {divide(upper.m, rising_product(x, steps)), upper.k};
}

// ln gamma(2 + t), |t| <= 1/4.
Dd log_gamma_near_two(Dd t) {
  double tail = t.hi * t.hi * t.hi * horner(t.hi, kZeta + 1, 24);
  return add(add(multiply(kOneMinusEuler, t), multiply(kZetaTwo, square(t))), tail);
}

// ln gamma(x) for x > 0.
Dd log_gamma_positive(double x) {
  if (magnitude(x - 2.0) <= 0.25) return log_gamma_near_two({x - 2.0, 0.0});
  if (magnitude(x - 1.0) <= 0.25) {
    Dd t = {x - 1.0, 0.0};
    return subtract(log_gamma_near_two(t), log1p_dd(t));
  }
  if (x < 0x1p-30) return add(negate(log_of(x)), -kEuler.hi * x);
  int steps = steps_to_stirling(x);
  Dd upper = stirling(two_sum(x, steps));
  return steps == 0 ? upper : subtract(upper, log_dd(rising_product(x, steps)));
}

// |sin(pi x)|, and through `negative` its sign.
Dd sin_pi_size(double x, bool* negative) {
  Dd s = sincos_reduced(reduce_pi_multiple(x)).sin;
  *negative = s.hi < 0.0;
  return *negative ? negate(s) : s;
}

// gamma(x) = pi/(sin(pi x) (-x) gamma(-x)) for negative x that is no integer.
double gamma_reflected(double x) {
  bool negative;
  Dd s = sin_pi_size(x, &negative);
  if (x < -184.0) return negative ? -0.0 : 0.0;
  Scaled other = gamma_positive(-x);
  Dd m = divide(kPiDd, multiply(multiply(s, -x), other.m));
  return scaled_value({negative ? negate(m) : m, -other.k});
}

}  // namespace

HIPAUDIT_MATH_EXPORT double hipaudit_tgamma(double x) {
  if (is_nan(x) || x == kInfinity) return x;
  if (x == 0.0) return with_sign(kInfinity, x);
  if (x == -kInfinity || (x < 0.0 && integer_kind(x) != 0)) return kNaN;
  if (x > 171.7) return kInfinity;
  if (magnitude(x) < 0x1p-60) return 1.0 / x;
  return x > 0.0 ? scaled_value(gamma_positive(x)) : gamma_reflected(x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_lgamma(double x) {
  if (is_nan(x)) return x;
  if (is_infinite(x) || x == 0.0 || (x < 0.0 && integer_kind(x) != 0)) return kInfinity;
  if (x >= 0x1.754d9278b51a7p+1014) return kInfinity;
  if (x > 0.0) return value(log_gamma_positive(x));
  if (x > -0x1p-30) return value(add(negate(log_of(-x)), -kEuler.hi * x));
  bool negative;
  Dd s = sin_pi_size(x, &negative);
  return value(subtract(subtract(kLogPi, log_dd(multiply(s, -x))), log_gamma_positive(-x)));
}

}  // namespace hipaudit::math
