// Bessel functions. Below 25 by Miller's backward recurrence with Neumann's expansions for Y (DLMF
// 3.6, Abramowitz and Stegun 9.1.88), in double-double, so that the zeros there are met to the last
// bit; above by Hankel's asymptotic series (DLMF 10.17), good to 2^-55 of the envelope
// sqrt(2/(pi x)). I0 and I1 by their power series and DLMF 10.40.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

constexpr double kHankelFrom = 25.0;

struct Backward {
  Dd j0, j1, jn;
  Dd y0_sum, y1_sum;  // sum (-1)^k J_2k/k and sum (-1)^k (2k+1)/(k (k+1)) J_(2k+1)
};

void rescale(Backward* a, Dd* sum, Dd* next, Dd* current) {
  Dd* const all[] = {&a->j0, &a->j1, &a->jn, &a->y0_sum, &a->y1_sum, sum, next, current};
  for (Dd* each : all) *each = scale(*each, 0x1p-400);
}

// Adds order k's value to the sums it belongs to.
void collect(Backward* a, Dd* sum, int k, Dd f) {
  int half = k / 2;
  double sign = (half & 1) != 0 ? -1.0 : 1.0;
  if (half == 0) return;
  if ((k & 1) == 0) {
    *sum = add(*sum, scale(f, 2.0));
    a->y0_sum = add(a->y0_sum, divide(f, sign * half));
  } else {
    Dd weight = divide(Dd{sign * k, 0.0}, static_cast<double>(half) * (half + 1));
    a->y1_sum = add(a->y1_sum, multiply(f, weight));
  }
}

// J_0, J_1, J_n and the sums for Y_0, Y_1 at x >= 2^-20, normalised by J_0 + 2 J_2 + 2 J_4 ... = 1.
Backward backward_recurrence(int n, double x) {
  int top = x > n ? static_cast<int>(x) : n;
  double width = 1.0;
  while (width * width * width < 0.5 * top) width += 1.0;
  int start = top + 24 + static_cast<int>(15.0 * width);
  Backward a = {};
  Dd sum = {}, next = {}, current = {0x1p-500, 0.0};
  Dd inverse = divide(Dd{2.0, 0.0}, x);
  for (int k = start; k >= 0; --k) {
    if (k == n) a.jn = current;
    if (k == 1) a.j1 = current;
    collect(&a, &sum, k, current);
    if (k == 0) break;
    Dd before = subtract(multiply(multiply(inverse, current), k), next);
    next = current;
    current = before;
    if (magnitude(current.hi) > 0x1p400) rescale(&a, &sum, &next, &current);
  }
  a.j0 = current;
  sum = add(sum, current);
  Dd* const all[] = {&a.j0, &a.j1, &a.jn, &a.y0_sum, &a.y1_sum};
  for (Dd* each : all) *each = divide(*each, sum);
  return a;
}

// sum over even (odd: first = 1) orders of (-1)^(k/2) a_k(order)/x^k, less its first term 1 (or 0).
double hankel_sum(int order, double x, int first) {
  double term = 1.0, sum = 0.0;
  for (int k = 1; k < 40; ++k) {
    double odd = 2.0 * k - 1.0;
    term *= (4.0 * order * order - odd * odd) / (8.0 * k * x);
    if ((k & 1) != first) continue;
    sum += ((k / 2) & 1) != 0 ? -term : term;
    if (magnitude(term) < 0x1p-70) break;
  }
  return sum;
}

// J or Y of order 0 or 1 for x > 25.
Dd hankel(int order, bool second_kind, double x) {
  SinCos a = sincos_reduced(reduce_half_pi(x));
  Dd total = add(a.cos, a.sin);
  Dd difference = subtract(a.sin, a.cos);
  Dd p = two_sum(1.0, hankel_sum(order, x, 0));
  double q = hankel_sum(order, x, 1);
  // cos(chi) and sin(chi) times sqrt 2, chi = x - order pi/2 - pi/4
  Dd cosine = order == 0 ? total : difference;
  Dd sine = order == 0 ? difference : negate(total);
  Dd wave = second_kind ? add(multiply(sine, p), multiply(cosine, q))
                        : subtract(multiply(cosine, p), multiply(sine, q));
  return divide(wave, square_root(multiply(kPiDd, x)));
}

// ln(x/2) + Euler's constant
Dd log_half(double x) { return add(subtract(log_of(x), kLn2Dd), kEuler); }

struct Pair {
  Dd zero;
  Dd one;
};

// Y_0 and Y_1 for x > 0.
Pair second_kind(double x) {
  if (x > kHankelFrom) return {hankel(0, true, x), hankel(1, true, x)};
  if (x < 0x1p-20) {
    Dd zero = multiply(multiply(log_half(x), kTwoOverPiDd), 1.0 - 0.25 * x * x);
    zero = add(zero, x * x * (0.5 * kTwoOverPiDd.hi * 0.5));
    Dd one = divide(negate(kTwoOverPiDd), x);
    return {zero, add(one, kTwoOverPiDd.hi * 0.5 * x * (log_half(x).hi - 0.5))};
  }
  Backward a = backward_recurrence(0, x);
  Dd log_term = log_half(x);
  Dd zero = multiply(subtract(multiply(log_term, a.j0), scale(a.y0_sum, 2.0)), kTwoOverPiDd);
  Dd one = subtract(multiply(add(log_term, -1.0), a.j1), a.y1_sum);
  one = multiply(subtract(one, divide(a.j0, x)), kTwoOverPiDd);
  return {zero, one};
}

// (x/2)^n/n! for x < 2^-20, where the next term is below 2^-42 of it: it is added.
double small_first_kind(int n, double x) {
  double product = 1.0;
  for (int k = 1; k <= n && product != 0.0; ++k) product *= 0.5 * x / k;
  return fused(product, -0.25 * x * x / (n + 1.0), product);
}

// J_n for n >= 0 and finite x > 0.
double first_kind(int n, double x) {
  if (x < 0x1p-20) return small_first_kind(n, x);
  if (x <= kHankelFrom || n > x) return value(backward_recurrence(n, x).jn);
  if (n < 2) return value(hankel(n, false, x));
  Dd before = hankel(0, false, x), current = hankel(1, false, x);
  for (int k = 1; k < n; ++k) {
    Dd after = subtract(multiply(divide(current, x), 2.0 * k), before);
    before = current;
    current = after;
  }
  return value(current);
}

// (e^x/sqrt(2 pi x)) (1 - a_1/x + a_2/x^2 ...) for x > 30.
Scaled modified_large(int order, double x) {
  double term = 1.0, sum = 0.0;
  for (int k = 1; k < 40 && magnitude(term) > 0x1p-62; ++k) {
    double odd = 2.0 * k - 1.0;
    term *= -(4.0 * order * order - odd * odd) / (8.0 * k * x);
    sum += term;
  }
  Dd root = square_root(multiply(scale(kPiDd, 2.0), x));
  return scaled_product(exp_dd({x, 0.0}), divide(two_sum(1.0, sum), root));
}

// I_order(x), order 0 or 1, x >= 0.
double modified(int order, double x) {
  if (x > 720.0) return kInfinity;
  if (x > 30.0) return scaled_value(modified_large(order, x));
  Dd z = scale(two_product(x, x), 0.25);
  Dd term = {order == 0 ? 1.0 : 0.5 * x, 0.0};
  Dd sum = term;
  for (int k = 1; term.hi > sum.hi * 0x1p-70; ++k) {
    term = divide(multiply(term, z), static_cast<double>(k) * (k + order));
    sum = add(sum, term);
  }
  return value(sum);
}

double second_kind_of_order(int n, double x) {
  if (is_nan(x)) return x;
  if (x < 0.0) return kNaN;
  double sign = n < 0 && (n & 1) != 0 ? -1.0 : 1.0;
  unsigned order = n < 0 ? 0u - static_cast<unsigned>(n) : static_cast<unsigned>(n);
  if (x == 0.0) return -kInfinity;
  if (x == kInfinity) return 0.0;
  Pair y = second_kind(x);
  if (order == 0) return value(y.zero);
  for (unsigned k = 1; k < order; ++k) {
    Dd after = subtract(multiply(divide(y.one, x), 2.0 * k), y.zero);
    y = {y.one, after};
    if (!is_finite(after.hi)) return sign * -kInfinity;
  }
  return sign * value(y.one);
}

}  // namespace

HIPAUDIT_MATH_EXPORT double hipaudit_jn(int n, double x) {
  if (is_nan(x)) return x;
  bool odd = (n & 1) != 0;
  double sign = odd && (n < 0) != (x < 0.0) ? -1.0 : 1.0;
  unsigned order = n < 0 ? 0u - static_cast<unsigned>(n) : static_cast<unsigned>(n);
  double size = magnitude(x);
  if (size == 0.0) return order == 0 ? 1.0 : (odd ? x : 0.0);
  if (size == kInfinity || order > 0x7fffff00u) return 0.0;
  return sign * first_kind(static_cast<int>(order), size);
}

HIPAUDIT_MATH_EXPORT double hipaudit_j0(double x) { return hipaudit_jn(0, x); }
HIPAUDIT_MATH_EXPORT double hipaudit_j1(double x) { return hipaudit_jn(1, x); }
HIPAUDIT_MATH_EXPORT double hipaudit_yn(int n, double x) { return second_kind_of_order(n, x); }
HIPAUDIT_MATH_EXPORT double hipaudit_y0(double x) { return second_kind_of_order(0, x); }
HIPAUDIT_MATH_EXPORT double hipaudit_y1(double x) { return second_kind_of_order(1, x); }

HIPAUDIT_MATH_EXPORT double hipaudit_cyl_bessel_i0(double x) {
  return is_nan(x) ? x : modified(0, magnitude(x));
}

HIPAUDIT_MATH_EXPORT double hipaudit_cyl_bessel_i1(double x) {
  if (is_nan(x) || magnitude(x) < 0x1p-1000) return x * 0.5;
  return with_sign(modified(1, magnitude(x)), x);
}

}  // namespace hipaudit::math
