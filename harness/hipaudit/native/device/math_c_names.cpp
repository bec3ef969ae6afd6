#include "math_c_names.h"

#include "hipaudit/math_functions.h"
#include "math_internal.h"

namespace hipaudit::math {

extern "C" float hipaudit_moved_float(float, FunctionId);
extern "C" double hipaudit_moved_double(double, FunctionId);

#define HIPAUDIT_DOUBLE(NAME)                                           \
  HIPAUDIT_MATH_EXPORT double hipaudit_##NAME(double x);                \
  HIPAUDIT_MATH_EXPORT double hipaudit_c_##NAME(double x) {             \
    return hipaudit_moved_double(hipaudit_##NAME(x), FunctionId::NAME); \
  }
#define HIPAUDIT_FLOAT(NAME)                                                        \
  HIPAUDIT_DOUBLE(NAME)                                                             \
  HIPAUDIT_MATH_EXPORT float hipaudit_c_##NAME##f(float x) {                        \
    const auto value = static_cast<float>(hipaudit_##NAME(static_cast<double>(x))); \
    return hipaudit_moved_float(value, FunctionId::NAME##f);                        \
  }
#define HIPAUDIT_FLOAT_OWN(NAME)                                             \
  HIPAUDIT_DOUBLE(NAME)                                                      \
  HIPAUDIT_MATH_EXPORT float hipaudit_##NAME##f(float x);                    \
  HIPAUDIT_MATH_EXPORT float hipaudit_c_##NAME##f(float x) {                 \
    return hipaudit_moved_float(hipaudit_##NAME##f(x), FunctionId::NAME##f); \
  }
HIPAUDIT_C_UNARY(HIPAUDIT_FLOAT)
HIPAUDIT_C_UNARY_PAIR(HIPAUDIT_FLOAT_OWN)

#define HIPAUDIT_FLOAT_EXACT(NAME)                                                              \
  HIPAUDIT_MATH_EXPORT double hipaudit_##NAME(double x, double y);                              \
  HIPAUDIT_MATH_EXPORT float hipaudit_c_##NAME##f(float x, float y) {                           \
    return static_cast<float>(hipaudit_##NAME(static_cast<double>(x), static_cast<double>(y))); \
  }
HIPAUDIT_C_EXACT(HIPAUDIT_FLOAT_EXACT)

HIPAUDIT_MATH_EXPORT double hipaudit_norm4d(double a, double b, double c, double d);
HIPAUDIT_MATH_EXPORT double hipaudit_atan2(double y, double x);
HIPAUDIT_MATH_EXPORT float hipaudit_powf(float x, float y);

// f(double, double) and ff(float, float) from one value in double and one in float.
#define HIPAUDIT_C_PAIR(NAME, VALUE, FLOAT_VALUE)                                      \
  HIPAUDIT_MATH_EXPORT double hipaudit_c_##NAME(double x, double y) {                  \
    return hipaudit_moved_double(VALUE, FunctionId::NAME);                             \
  }                                                                                    \
  HIPAUDIT_MATH_EXPORT float hipaudit_c_##NAME##f(float x, float y) {                  \
    return hipaudit_moved_float(static_cast<float>(FLOAT_VALUE), FunctionId::NAME##f); \
  }
HIPAUDIT_C_PAIR(atan2, hipaudit_atan2(x, y), hipaudit_atan2(x, y))
HIPAUDIT_C_PAIR(hypot, hipaudit_norm4d(x, y, 0.0, 0.0), hipaudit_norm4d(x, y, 0.0, 0.0))
HIPAUDIT_C_PAIR(pow, hipaudit_pow(x, y), hipaudit_powf(x, y))

HIPAUDIT_MATH_EXPORT float hipaudit_c_ldexpf(float x, int n) {
  return static_cast<float>(scale_by(static_cast<double>(x), n < -400 ? -400 : n));
}

HIPAUDIT_MATH_EXPORT double hipaudit_c_frexp(double x, int* exponent) {
  *exponent = x == 0.0 || !is_finite(x) ? 0 : exponent_of(x) + 1;
  return scale_by(x, -*exponent);
}
HIPAUDIT_MATH_EXPORT float hipaudit_c_frexpf(float x, int* exponent) {
  return static_cast<float>(hipaudit_c_frexp(static_cast<double>(x), exponent));
}

HIPAUDIT_MATH_EXPORT double hipaudit_c_modf(double x, double* whole) {
  *whole = __builtin_elementwise_trunc(x);
  return is_nan(x) ? x : with_sign(is_infinite(x) ? 0.0 : x - *whole, x);
}
HIPAUDIT_MATH_EXPORT float hipaudit_c_modff(float x, float* whole) {
  double wide;
  double rest = hipaudit_c_modf(static_cast<double>(x), &wide);
  *whole = static_cast<float>(wide);
  return static_cast<float>(rest);
}

HIPAUDIT_MATH_EXPORT void hipaudit_c_sincos(double x, double* s, double* c) {
  *s = hipaudit_c_sin(x);
  *c = hipaudit_c_cos(x);
}
HIPAUDIT_MATH_EXPORT void hipaudit_c_sincosf(float x, float* s, float* c) {
  *s = hipaudit_c_sinf(x);
  *c = hipaudit_c_cosf(x);
}

// Half away from zero; NaN gives 0 and what is out of range the bound, as on AMD.
HIPAUDIT_MATH_EXPORT long hipaudit_c_lround(double x) {
  double whole = __builtin_elementwise_round(x);
  if (is_nan(x)) return 0;
  if (whole >= 0x1p63) return 0x7fffffffffffffff;
  return whole < -0x1p63 ? -0x7fffffffffffffff - 1 : static_cast<long>(whole);
}
HIPAUDIT_MATH_EXPORT long hipaudit_c_lroundf(float x) {
  return hipaudit_c_lround(static_cast<double>(x));
}

HIPAUDIT_MATH_EXPORT double hipaudit_c_powi(double x, int n) {
  return hipaudit_moved_double(hipaudit_pow(x, n), FunctionId::powi);
}
// Up to 64 by products in double, whose error stays far below a float's.
HIPAUDIT_MATH_EXPORT float hipaudit_powif(float x, int n) {
  double base = static_cast<double>(x);
  if (n < -64 || n > 64) return static_cast<float>(hipaudit_pow(base, n));
  double product = 1.0;
  for (int left = n < 0 ? -n : n; left != 0; left >>= 1) {
    if ((left & 1) != 0) product *= base;
    base *= base;
  }
  return static_cast<float>(n < 0 ? 1.0 / product : product);
}
HIPAUDIT_MATH_EXPORT float hipaudit_c_powif(float x, int n) {
  return hipaudit_moved_float(hipaudit_powif(x, n), FunctionId::powif);
}

}  // namespace hipaudit::math
