// Float functions that kernels use often and that are too long to inline: the tables of the double
// ones in plain double arithmetic, good to about 2^-44, then one rounding.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

// (e^r - 1)/r, |r| <= ln(2)/128
constexpr double kExpQuotient[] = {1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120};
// ln(1 + r)/r, |r| <= 2^-7
constexpr double kLogQuotient[] = {1.0,     -1.0 / 2, 1.0 / 3, -1.0 / 4,
                                   1.0 / 5, -1.0 / 6, 1.0 / 7, -1.0 / 8};

// e^x for |x| < 700.
double exp_plain(double x) {
  double k = nearest(x * 0x1.71547652b82fep+6);
  double r = fused(-k, kLn2Over64Parts[1], fused(-k, kLn2Over64Parts[0], x));
  int64_t steps = static_cast<int64_t>(k);
  double power = kExpTable[2 * (steps & 63)] * power_of_two(static_cast<int>(steps >> 6));
  return fused(r * horner(r, kExpQuotient, 5), power, power);
}

// ln(x) for positive normal x, with small relative error near 1 too.
double log_plain(double x) {
  uint64_t offset = bits_of(x) - kLogFirst;
  const double* row = kLogTable + 3 * ((offset >> 45) & 127);
  int64_t k = static_cast<int64_t>(offset) >> 52;
  double z = from_bits(bits_of(x) - (static_cast<uint64_t>(k) << 52));
  double r = fused(z, row[0], -1.0);
  return fused(static_cast<double>(k), kLn2Dd.hi, row[1]) + r * horner(r, kLogQuotient, 8);
}

double erf_below_one(double x) {
  double z = x * x;
  int index = z < 1.0 ? static_cast<int>(z * 8.0) : 7;
  const double* row = kErfTable + 10 * index;
  double t = z - (index + 0.5) * 0.125;
  return x * fused(horner(t, row + 2, 8), t, row[0]);
}

// erfc(x) for 0 <= x < 20.
double erfc_above_zero(double x) {
  double u = 1.0 / (x + 2.0);
  int index = u < 0.5 ? static_cast<int>(u * 32.0) : 15;
  const double* row = kErfcxTable + 13 * index;
  double t = u - (index + 0.5) * 0.03125;
  return exp_plain(-x * x) * u * fused(horner(t, row + 2, 11), t, row[0]);
}

}  // namespace

HIPAUDIT_MATH_EXPORT float hipaudit_powf(float x, float y) {
  double wide = static_cast<double>(x);
  if (!(wide > 0.0) || wide == kInfinity || wide == 1.0 || !is_finite(static_cast<double>(y))) {
    return static_cast<float>(hipaudit_pow(wide, static_cast<double>(y)));
  }
  double exponent = log_plain(wide) * static_cast<double>(y);
  if (exponent > 100.0) return __builtin_inff();
  return exponent < -110.0 ? 0.0f : static_cast<float>(exp_plain(exponent));
}

HIPAUDIT_MATH_EXPORT float hipaudit_erff(float x) {
  double wide = static_cast<double>(x);
  double size = magnitude(wide);
  if (size <= 1.0) return static_cast<float>(erf_below_one(wide));
  if (is_nan(wide)) return x;
  double result = size > 4.0 ? 1.0 : 1.0 - erfc_above_zero(size);
  return static_cast<float>(with_sign(result, wide));
}

HIPAUDIT_MATH_EXPORT float hipaudit_erfcf(float x) {
  double wide = static_cast<double>(x);
  if (is_nan(wide)) return x;
  if (wide > 11.0) return 0.0f;
  if (magnitude(wide) < 0.5) return static_cast<float>(1.0 - erf_below_one(wide));
  if (wide > 0.0) return static_cast<float>(erfc_above_zero(wide));
  return wide < -4.5 ? 2.0f : static_cast<float>(2.0 - erfc_above_zero(-wide));
}

}  // namespace hipaudit::math
