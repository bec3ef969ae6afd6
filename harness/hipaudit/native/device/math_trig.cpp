// Sine, cosine and tangent from a table at multiples of 1/32 (Gal and Bachelis, ACM TOMS 17 (1991),
// carried in double-double); inverse functions by one correction of a rough angle with them.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

// (sin t - t)/t^3 and (cos t - 1 + t^2/2)/t^4 in t^2, |t| <= 1/64
constexpr double kSinTail[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880};
constexpr double kCosTail[] = {1.0 / 24, -1.0 / 720, 1.0 / 40320};
// atan(q)/q in q^2 to 10^-5, q <= 1: Abramowitz and Stegun 4.4.49.
constexpr double kRoughAtan[] = {0.9998660, -0.3302995, 0.1801410, -0.0851330, 0.0208351};

double turned_sin(SinCos a, int quadrant) {
  Dd part = (quadrant & 1) != 0 ? a.cos : a.sin;
  return (quadrant & 2) != 0 ? -value(part) : value(part);
}

double turned_tan(SinCos a, int quadrant) {
  if ((quadrant & 1) != 0) return -value(divide(a.cos, a.sin));
  return value(divide(a.sin, a.cos));
}

// The angle of (x, y), both finite and not both 0, for any sizes.
double angle(double y, double x) {
  double width = magnitude(x);
  double height = magnitude(y);
  bool left = is_negative(x);
  if (height == 0.0) return with_sign(left ? kPiDd.hi : 0.0, y);
  if (width == 0.0) return with_sign(kHalfPi.hi, y);
  int gap = exponent_of(height) - exponent_of(width);
  Dd result;
  if (gap > 100) {
    result = kHalfPi;
  } else if (gap < -100) {
    if (!left) return y / width;
    result = kPiDd;
  } else {
    int unit = -exponent_of(width > height ? width : height);
    result = atan2_dd({scale_by(height, unit), 0.0}, {scale_by(width, unit), 0.0});
    if (left) result = subtract(kPiDd, result);
  }
  return with_sign(value(result), y);
}

// sqrt(1 - x^2) in double-double.
Dd other_side(double x) {
  Dd square = two_product(x, x);
  return square_root(add(two_sum(1.0, -square.hi), -square.lo));
}

}  // namespace

SinCos sincos_dd(Dd r) {
  bool flip = r.hi < 0.0;
  if (flip) r = negate(r);
  double step = nearest(r.hi * 32.0);
  Dd t = two_sum(r.hi - step * 0x1p-5, r.lo);
  const double* row = kSinCosTable + 4 * static_cast<int>(step);
  double z = t.hi * t.hi;
  Dd sin_t = fast_two_sum(t.hi, t.lo + t.hi * z * horner(z, kSinTail, 4));
  Dd cos_less_one = add(scale(square(t), -0.5), z * z * horner(z, kCosTail, 3));
  Dd s = {row[0], row[1]};
  Dd c = {row[2], row[3]};
  Dd sin = add(s, add(multiply(s, cos_less_one), multiply(c, sin_t)));
  Dd cos = add(c, subtract(multiply(c, cos_less_one), multiply(s, sin_t)));
  return {flip ? negate(sin) : sin, cos};
}

SinCos sincos_reduced(Reduced a) {
  SinCos part = sincos_dd(a.r);
  SinCos turned = (a.quadrant & 1) != 0 ? SinCos{part.cos, negate(part.sin)} : part;
  if ((a.quadrant & 2) != 0) return {negate(turned.sin), negate(turned.cos)};
  return turned;
}

Dd atan2_dd(Dd y, Dd x) {
  bool steep = y.hi > x.hi;
  Dd small = steep ? x : y;
  Dd large = steep ? y : x;
  double q = small.hi / large.hi;
  double rough = q * horner(q * q, kRoughAtan, 5);
  SinCos a = sincos_dd({rough, 0.0});
  Dd across = subtract(multiply(small, a.cos), multiply(large, a.sin));
  Dd along = add(multiply(large, a.cos), multiply(small, a.sin));
  Dd d = divide(across, along);
  Dd result = add(add(d, -d.hi * d.hi * d.hi * (1.0 / 3)), rough);
  return steep ? subtract(kHalfPi, result) : result;
}

HIPAUDIT_MATH_EXPORT double hipaudit_sin(double x) {
  if (!is_finite(x)) return kNaN;
  if (magnitude(x) < 0x1p-27) return x;
  Reduced a = reduce_half_pi(x);
  return turned_sin(sincos_dd(a.r), a.quadrant);
}

HIPAUDIT_MATH_EXPORT double hipaudit_cos(double x) {
  if (!is_finite(x)) return kNaN;
  Reduced a = reduce_half_pi(x);
  return turned_sin(sincos_dd(a.r), a.quadrant + 1);
}

HIPAUDIT_MATH_EXPORT double hipaudit_tan(double x) {
  if (!is_finite(x)) return kNaN;
  if (magnitude(x) < 0x1p-27) return x;
  Reduced a = reduce_half_pi(x);
  return turned_tan(sincos_dd(a.r), a.quadrant);
}

HIPAUDIT_MATH_EXPORT double hipaudit_sinpi(double x) {
  if (!is_finite(x)) return kNaN;
  Reduced a = reduce_pi_multiple(x);
  if (a.r.hi == 0.0 && (a.quadrant & 1) == 0) return with_sign(0.0, x);
  return turned_sin(sincos_dd(a.r), a.quadrant);
}

HIPAUDIT_MATH_EXPORT double hipaudit_cospi(double x) {
  if (!is_finite(x)) return kNaN;
  Reduced a = reduce_pi_multiple(x);
  if (a.r.hi == 0.0 && (a.quadrant & 1) == 1) return 0.0;
  return turned_sin(sincos_dd(a.r), a.quadrant + 1);
}

HIPAUDIT_MATH_EXPORT double hipaudit_atan2(double y, double x) {
  if (is_nan(x) || is_nan(y)) return kNaN;
  if (is_infinite(y)) {
    if (!is_infinite(x)) return with_sign(kHalfPi.hi, y);
    return with_sign(is_negative(x) ? 0x1.2d97c7f3321d2p+1 : 0x1.921fb54442d18p-1, y);
  }
  if (is_infinite(x)) return with_sign(is_negative(x) ? kPiDd.hi : 0.0, y);
  return angle(y, x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_atan(double x) {
  if (is_nan(x) || magnitude(x) < 0x1p-27) return x;
  if (is_infinite(x)) return with_sign(kHalfPi.hi, x);
  return angle(x, 1.0);
}

HIPAUDIT_MATH_EXPORT double hipaudit_asin(double x) {
  double size = magnitude(x);
  if (is_nan(x) || size < 0x1p-27) return x;
  if (size > 1.0) return kNaN;
  return with_sign(value(atan2_dd({size, 0.0}, other_side(size))), x);
}

HIPAUDIT_MATH_EXPORT double hipaudit_acos(double x) {
  double size = magnitude(x);
  if (is_nan(x)) return x;
  if (size > 1.0) return kNaN;
  if (size < 0x1p-60) return kHalfPi.hi;
  Dd result = atan2_dd(other_side(size), {size, 0.0});
  return x < 0.0 ? value(subtract(kPiDd, result)) : value(result);
}

}  // namespace hipaudit::math
