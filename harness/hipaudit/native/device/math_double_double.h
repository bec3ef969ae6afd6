// Double-double arithmetic: a value is the unevaluated sum hi + lo, |lo| <= ulp(hi)/2, good to
// about 104 bits. Dekker 1971; Knuth, TAOCP 2, 4.2.2; Joldes, Muller and Popescu, ACM TOMS 44
// (2017). Everything here is inline and exact in its order of operations: no contraction, no
// reassociation, whatever options the file is compiled with, so that results are the same bits on
// every host.
#pragma once

#ifndef __FMA__
#error "the device's math needs hardware fused multiply-add: compile for x86-64-v3 or later"
#endif

#pragma float_control(precise, on)
#pragma clang fp contract(off)

namespace hipaudit::math {

struct Dd {
  double hi;
  double lo;
};

inline double fused(double x, double y, double z) { return __builtin_elementwise_fma(x, y, z); }
inline double square_root(double x) { return __builtin_elementwise_sqrt(x); }
inline double magnitude(double x) { return __builtin_elementwise_abs(x); }

// The exact sum of two doubles.
inline Dd two_sum(double a, double b) {
  double s = a + b;
  double t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}

// The exact sum when |a| >= |b| or a is 0.
inline Dd fast_two_sum(double a, double b) {
  double s = a + b;
  return {s, b - (s - a)};
}

// The exact product, barring underflow.
inline Dd two_product(double a, double b) {
  double p = a * b;
  return {p, fused(a, b, -p)};
}

inline double value(Dd a) { return a.hi + a.lo; }
inline Dd negate(Dd a) { return {-a.hi, -a.lo}; }
// Exact when `power` is a power of two.
inline Dd scale(Dd a, double power) { return {a.hi * power, a.lo * power}; }

inline Dd add(Dd a, Dd b) {
  Dd s = two_sum(a.hi, b.hi);
  Dd t = two_sum(a.lo, b.lo);
  s = fast_two_sum(s.hi, s.lo + t.hi);
  return fast_two_sum(s.hi, s.lo + t.lo);
}

inline Dd add(Dd a, double b) {
  Dd s = two_sum(a.hi, b);
  return fast_two_sum(s.hi, s.lo + a.lo);
}

inline Dd subtract(Dd a, Dd b) { return add(a, negate(b)); }

inline Dd multiply(Dd a, Dd b) {
  Dd p = two_product(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + fused(a.hi, b.lo, a.lo * b.hi));
}

inline Dd multiply(Dd a, double b) {
  Dd p = two_product(a.hi, b);
  return fast_two_sum(p.hi, fused(a.lo, b, p.lo));
}

inline Dd square(Dd a) { return multiply(a, a); }

inline Dd divide(Dd a, Dd b) {
  double q = a.hi / b.hi;
  Dd rest = subtract(a, multiply(b, q));
  double second = rest.hi / b.hi;
  rest = subtract(rest, multiply(b, second));
  return add(fast_two_sum(q, second), rest.hi / b.hi);
}

inline Dd divide(Dd a, double b) { return divide(a, Dd{b, 0.0}); }
inline Dd reciprocal(Dd b) { return divide(Dd{1.0, 0.0}, b); }

// Of a positive value; 0 for 0.
inline Dd square_root(Dd a) {
  if (a.hi <= 0.0) return {0.0, 0.0};
  double root = square_root(a.hi);
  Dd rest = subtract(a, two_product(root, root));
  return fast_two_sum(root, rest.hi / (2.0 * root));
}

// sum of coefficient[i] x^i, i < count, by Horner's rule.
inline double horner(double x, const double* coefficient, int count) {
  double sum = coefficient[count - 1];
  for (int i = count - 2; i >= 0; --i) sum = fused(sum, x, coefficient[i]);
  return sum;
}

}  // namespace hipaudit::math
