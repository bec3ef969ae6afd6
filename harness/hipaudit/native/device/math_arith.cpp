// Remainders, lengths and directed rounding: exact, or one rounding of a double-double.
#include "math_internal.h"

namespace hipaudit::math {
namespace {

// The mantissa of a finite x that is not 0, as an integer m with |x| = m 2^e.
uint64_t mantissa_of(double x, int* exponent) {
  uint64_t bits = bits_of(x) & ~kSignBit;
  int biased = static_cast<int>(bits >> 52);
  uint64_t fraction = bits & ((1ull << 52) - 1);
  *exponent = (biased == 0 ? 1 : biased) - 1075;
  return biased == 0 ? fraction : fraction | (1ull << 52);
}

struct Division {
  double rest;        // |x| - quotient |y|, exact, in [0, |y|)
  unsigned quotient;  // its low 32 bits
};

// Long division, 11 bits a step: |x| by |y|, both finite, y not 0.
Division divide_exactly(double x, double y) {
  x = magnitude(x), y = magnitude(y);
  if (x < y) return {x, 0};
  int ex, ey;
  uint64_t mx = mantissa_of(x, &ex);
  uint64_t my = mantissa_of(y, &ey);
  uint64_t quotient = mx / my;
  uint64_t rest = mx % my;
  // A subnormal y may have a shorter mantissa and yet the smaller exponent never exceeds ex here.
  for (int left = ex - ey; left > 0;) {
    int step = left < 11 ? left : 11;
    uint64_t shifted = rest << step;
    quotient = (quotient << step) + shifted / my;
    rest = shifted % my;
    left -= step;
  }
  return {scale_by(static_cast<double>(rest), ey), static_cast<unsigned>(quotient)};
}

bool division_is_invalid(double x, double y) {
  return !is_finite(x) || is_nan(y) || magnitude(y) == 0.0;
}

// Rounds the quotient to nearest, ties to even: x - n y, and n.
double nearest_remainder(double x, double y, unsigned* quotient) {
  double divisor = magnitude(y);
  *quotient = 0;
  if (is_infinite(y)) return x;
  Division d = divide_exactly(x, y);
  double other = divisor - d.rest;  // exact where the two are compared as equal
  bool up = d.rest > other || (d.rest == other && (d.quotient & 1) != 0);
  if (divisor < 0x1p-1021)
    up = 2.0 * d.rest > divisor || (2.0 * d.rest == divisor && (d.quotient & 1));
  *quotient = d.quotient + (up ? 1 : 0);
  double rest = up ? d.rest - divisor : d.rest;
  if (rest == 0.0) return with_sign(0.0, x);
  return is_negative(x) ? -rest : rest;
}

// sqrt(sum of squares) of up to four values as m 2^k, or an infinity, a NaN or 0 in m.
Scaled length(double a, double b, double c, double d) {
  const double parts[] = {a, b, c, d};
  double largest = 0.0;
  bool nan = false;
  for (double part : parts) {
    if (is_infinite(part)) return {{kInfinity, 0.0}, 0};
    nan = nan || is_nan(part);
    if (magnitude(part) > largest) largest = magnitude(part);
  }
  if (nan) return {{kNaN, 0.0}, 0};
  if (largest == 0.0) return {{0.0, 0.0}, 0};
  int exponent = exponent_of(largest);
  Dd sum = {0.0, 0.0};
  for (double part : parts) {
    double scaled = scale_by(part, -exponent);
    if (magnitude(scaled) > 0x1p-100) sum = add(sum, two_product(scaled, scaled));
  }
  return {square_root(sum), exponent};
}

double length_value(Scaled a) {
  return is_finite(a.m.hi) && a.m.hi != 0.0 ? scaled_value(a) : a.m.hi;
}

double inverse_length(Scaled a) {
  if (is_nan(a.m.hi)) return kNaN;
  if (is_infinite(a.m.hi)) return 0.0;
  if (a.m.hi == 0.0) return kInfinity;
  return scaled_value({reciprocal(a.m), -a.k});
}

// MXCSR with all exceptions masked and rounding 0 nearest, 1 down, 2 up, 3 towards zero.
unsigned control_word(int rounding) {
  return 0x1f80u | (static_cast<unsigned>(rounding & 3) << 13);
}

}  // namespace

HIPAUDIT_MATH_EXPORT double hipaudit_fmod(double x, double y) {
  if (division_is_invalid(x, y)) return kNaN;
  if (is_infinite(y)) return x;
  return with_sign(divide_exactly(x, y).rest, x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_remainder(double x, double y) {
  unsigned quotient;
  return division_is_invalid(x, y) ? kNaN : nearest_remainder(x, y, &quotient);
}

// The quotient's low 7 bits with its sign, as OpenCL and AMD's library give them.
HIPAUDIT_MATH_EXPORT int hipaudit_remquo_quotient(double x, double y) {
  unsigned quotient;
  if (division_is_invalid(x, y)) return 0;
  nearest_remainder(x, y, &quotient);
  int low = static_cast<int>(quotient & 0x7f);
  return is_negative(x) != is_negative(y) ? -low : low;
}

HIPAUDIT_MATH_EXPORT double hipaudit_ldexp(double x, int n) { return scale_by(x, n); }

HIPAUDIT_MATH_EXPORT double hipaudit_rsqrt(double x) {
  if (is_nan(x)) return x;
  if (x == 0.0) return with_sign(kInfinity, x);
  if (x < 0.0) return kNaN;
  if (x == kInfinity) return 0.0;
  int half = exponent_of(x) >> 1;
  double rest = scale_by(x, -2 * half);
  return scale_by(value(reciprocal(square_root(Dd{rest, 0.0}))), -half);
}

HIPAUDIT_MATH_EXPORT double hipaudit_norm4d(double a, double b, double c, double d) {
  return length_value(length(a, b, c, d));
}

HIPAUDIT_MATH_EXPORT double hipaudit_rnorm4d(double a, double b, double c, double d) {
  return inverse_length(length(a, b, c, d));
}

// One operation with the processor's own directed rounding, in one block that nothing moves into.
#define HIPAUDIT_ROUNDED(NAME, TYPE, OPERATION)                                           \
  HIPAUDIT_MATH_EXPORT TYPE NAME(TYPE x, TYPE y, int rounding) {                          \
    unsigned saved;                                                                       \
    unsigned wanted = control_word(rounding);                                             \
    TYPE result;                                                                          \
    __asm__ volatile("stmxcsr %1\n\tldmxcsr %2\n\t" OPERATION " %4, %3, %0\n\tldmxcsr %1" \
                     : "=&x"(result), "=m"(saved)                                         \
                     : "m"(wanted), "x"(x), "x"(y));                                      \
    return result;                                                                        \
  }

HIPAUDIT_ROUNDED(hipaudit_rounded_addf, float, "vaddss")
HIPAUDIT_ROUNDED(hipaudit_rounded_add, double, "vaddsd")
HIPAUDIT_ROUNDED(hipaudit_rounded_subf, float, "vsubss")
HIPAUDIT_ROUNDED(hipaudit_rounded_sub, double, "vsubsd")
HIPAUDIT_ROUNDED(hipaudit_rounded_mulf, float, "vmulss")
HIPAUDIT_ROUNDED(hipaudit_rounded_mul, double, "vmulsd")
HIPAUDIT_ROUNDED(hipaudit_rounded_divf, float, "vdivss")
HIPAUDIT_ROUNDED(hipaudit_rounded_div, double, "vdivsd")
// The square root of y; x only fills the instruction's upper lanes.
HIPAUDIT_ROUNDED(hipaudit_rounded_sqrtf, float, "vsqrtss")
HIPAUDIT_ROUNDED(hipaudit_rounded_sqrt, double, "vsqrtsd")

#undef HIPAUDIT_ROUNDED

#define HIPAUDIT_ROUNDED_FMA(NAME, TYPE, OPERATION)                                       \
  HIPAUDIT_MATH_EXPORT TYPE NAME(TYPE x, TYPE y, TYPE z, int rounding) {                  \
    unsigned saved;                                                                       \
    unsigned wanted = control_word(rounding);                                             \
    __asm__ volatile("stmxcsr %1\n\tldmxcsr %2\n\t" OPERATION " %4, %3, %0\n\tldmxcsr %1" \
                     : "+&x"(x), "=m"(saved)                                              \
                     : "m"(wanted), "x"(y), "x"(z));                                      \
    return x;                                                                             \
  }

HIPAUDIT_ROUNDED_FMA(hipaudit_rounded_fmaf, float, "vfmadd213ss")
HIPAUDIT_ROUNDED_FMA(hipaudit_rounded_fma, double, "vfmadd213sd")

#undef HIPAUDIT_ROUNDED_FMA

}  // namespace hipaudit::math
