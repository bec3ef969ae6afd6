// The transcendental functions of HIP's math API, float and double, unqualified and in namespace
// std. Those not in math_inline.h are computed by the device library in double-double; a float
// function is its double one rounded to float.
#pragma once

#include "math_core.h"
#include "math_inline.h"

HIPAUDIT_EXACT_BEGIN

// A function of the device library.
#define HIPAUDIT_LIBRARY extern "C" __device__ __attribute__((const))

// f(double), f(float), ff(float) and f(integer), with the float form's own expression in x.
#define HIPAUDIT_UNARY_AS(NAME, FLOAT_VALUE)                                      \
  HIPAUDIT_LIBRARY double hipaudit_##NAME(double x) noexcept;                     \
  HIPAUDIT_DEVICE double NAME(double x) {                                         \
    return hipaudit::math_result(hipaudit_##NAME(x), hipaudit::FunctionId::NAME); \
  }                                                                               \
  HIPAUDIT_DEVICE float NAME##f(float x) {                                        \
    return hipaudit::math_result(FLOAT_VALUE, hipaudit::FunctionId::NAME##f);     \
  }                                                                               \
  HIPAUDIT_DEVICE float NAME(float x) { return NAME##f(x); }                      \
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0>         \
  HIPAUDIT_DEVICE double NAME(T x) {                                              \
    return NAME(static_cast<double>(x));                                          \
  }
#define HIPAUDIT_UNARY(NAME) \
  HIPAUDIT_UNARY_AS(NAME, static_cast<float>(hipaudit_##NAME(static_cast<double>(x))))

// Two arguments; a mixed pair is computed in double.
#define HIPAUDIT_BINARY(NAME, DOUBLE_VALUE, FLOAT_VALUE)                                          \
  HIPAUDIT_DEVICE double NAME(double x, double y) {                                               \
    return hipaudit::math_result(DOUBLE_VALUE, hipaudit::FunctionId::NAME);                       \
  }                                                                                               \
  HIPAUDIT_DEVICE float NAME##f(float x, float y) {                                               \
    return hipaudit::math_result(static_cast<float>(FLOAT_VALUE), hipaudit::FunctionId::NAME##f); \
  }                                                                                               \
  HIPAUDIT_DEVICE float NAME(float x, float y) { return NAME##f(x, y); }                          \
  template <typename T, typename U,                                                               \
            hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&                      \
                                       hipaudit::detail::kIsArithmetic<U>> = 0>                   \
  HIPAUDIT_DEVICE double NAME(T x, U y) {                                                         \
    return NAME(static_cast<double>(x), static_cast<double>(y));                                  \
  }

#define HIPAUDIT_STD(NAME) \
  namespace std {          \
  using ::NAME;            \
  using ::NAME##f;         \
  }

// In <cmath>.
#define HIPAUDIT_UNARY_STD(NAME) HIPAUDIT_UNARY(NAME) HIPAUDIT_STD(NAME)
#define HIPAUDIT_UNARY_STD_AS(NAME, VALUE) HIPAUDIT_UNARY_AS(NAME, VALUE) HIPAUDIT_STD(NAME)

HIPAUDIT_UNARY_STD_AS(exp, hipaudit::math::exp_float(x))
HIPAUDIT_UNARY_STD_AS(exp2, hipaudit::math::exp2_float(x))
HIPAUDIT_UNARY_AS(exp10, hipaudit::math::exp10_float(x))
HIPAUDIT_UNARY_STD_AS(expm1, hipaudit::math::expm1_float(x))
HIPAUDIT_UNARY_STD_AS(log, hipaudit::math::log_float(x))
HIPAUDIT_UNARY_STD_AS(log2, hipaudit::math::log2_float(x))
HIPAUDIT_UNARY_STD_AS(log10, hipaudit::math::log10_float(x))
HIPAUDIT_UNARY_STD(log1p)
HIPAUDIT_UNARY_STD(cbrt)
HIPAUDIT_UNARY(rcbrt)
HIPAUDIT_UNARY_STD_AS(sin, hipaudit::math::sin_float(x))
HIPAUDIT_UNARY_STD_AS(cos, hipaudit::math::cos_float(x))
HIPAUDIT_UNARY_STD_AS(tan, hipaudit::math::tan_float(x))
HIPAUDIT_UNARY_AS(sinpi, hipaudit::math::sinpi_float(x))
HIPAUDIT_UNARY_AS(cospi, hipaudit::math::cospi_float(x))
HIPAUDIT_UNARY_STD(asin)
HIPAUDIT_UNARY_STD(acos)
HIPAUDIT_UNARY_STD(atan)
HIPAUDIT_UNARY_STD(sinh)
HIPAUDIT_UNARY_STD(cosh)
HIPAUDIT_UNARY_STD_AS(tanh, hipaudit::math::tanh_float(x))
HIPAUDIT_UNARY_STD(asinh)
HIPAUDIT_UNARY_STD(acosh)
HIPAUDIT_UNARY_STD(atanh)
HIPAUDIT_LIBRARY float hipaudit_erff(float x) noexcept;
HIPAUDIT_LIBRARY float hipaudit_erfcf(float x) noexcept;
HIPAUDIT_UNARY_STD_AS(erf, hipaudit_erff(x))
HIPAUDIT_UNARY_STD_AS(erfc, hipaudit_erfcf(x))
HIPAUDIT_UNARY(erfinv)
HIPAUDIT_UNARY(erfcinv)
HIPAUDIT_UNARY(erfcx)
HIPAUDIT_UNARY(normcdf)
HIPAUDIT_UNARY(normcdfinv)
HIPAUDIT_UNARY_STD(tgamma)
HIPAUDIT_UNARY_STD(lgamma)
HIPAUDIT_UNARY(j0)
HIPAUDIT_UNARY(j1)
HIPAUDIT_UNARY(y0)
HIPAUDIT_UNARY(y1)
HIPAUDIT_UNARY(cyl_bessel_i0)
HIPAUDIT_UNARY(cyl_bessel_i1)

HIPAUDIT_LIBRARY double hipaudit_pow(double x, double y) noexcept;
HIPAUDIT_LIBRARY float hipaudit_powf(float x, float y) noexcept;
HIPAUDIT_LIBRARY double hipaudit_atan2(double y, double x) noexcept;
HIPAUDIT_LIBRARY double hipaudit_jn(int n, double x) noexcept;
HIPAUDIT_LIBRARY double hipaudit_yn(int n, double x) noexcept;
HIPAUDIT_LIBRARY double hipaudit_norm4d(double a, double b, double c, double d) noexcept;
HIPAUDIT_LIBRARY double hipaudit_rnorm4d(double a, double b, double c, double d) noexcept;

HIPAUDIT_BINARY(pow, hipaudit_pow(x, y), hipaudit_powf(x, y))
HIPAUDIT_BINARY(atan2, hipaudit_atan2(x, y), hipaudit_atan2(x, y))
HIPAUDIT_BINARY(hypot, hipaudit_norm4d(x, y, 0.0, 0.0), hipaudit_norm4d(x, y, 0.0, 0.0))
HIPAUDIT_BINARY(rhypot, hipaudit_rnorm4d(x, y, 0.0, 0.0), hipaudit_rnorm4d(x, y, 0.0, 0.0))
HIPAUDIT_STD(atan2)

#undef HIPAUDIT_UNARY_STD_AS
#undef HIPAUDIT_UNARY_STD
#undef HIPAUDIT_UNARY
#undef HIPAUDIT_UNARY_AS
#undef HIPAUDIT_BINARY

// f(double) and ff(float) from one expression in double.
#define HIPAUDIT_BOTH(NAME, PARAMETERS_D, PARAMETERS_F, VALUE)                              \
  HIPAUDIT_DEVICE double NAME PARAMETERS_D {                                                \
    return hipaudit::math_result(VALUE, hipaudit::FunctionId::NAME);                        \
  }                                                                                         \
  HIPAUDIT_DEVICE float NAME##f PARAMETERS_F {                                              \
    return hipaudit::math_result(static_cast<float>(VALUE), hipaudit::FunctionId::NAME##f); \
  }

HIPAUDIT_LIBRARY float hipaudit_powif(float x, int n) noexcept;
HIPAUDIT_DEVICE double powi(double x, int n) {
  return hipaudit::math_result(hipaudit_pow(x, n), hipaudit::FunctionId::powi);
}
HIPAUDIT_DEVICE float powif(float x, int n) {
  return hipaudit::math_result(hipaudit_powif(x, n), hipaudit::FunctionId::powif);
}
HIPAUDIT_BOTH(jn, (int n, double x), (int n, float x), hipaudit_jn(n, x))
HIPAUDIT_BOTH(yn, (int n, double x), (int n, float x), hipaudit_yn(n, x))
HIPAUDIT_BOTH(norm3d, (double a, double b, double c), (float a, float b, float c),
              hipaudit_norm4d(a, b, c, 0.0))
HIPAUDIT_BOTH(rnorm3d, (double a, double b, double c), (float a, float b, float c),
              hipaudit_rnorm4d(a, b, c, 0.0))
HIPAUDIT_BOTH(norm4d, (double a, double b, double c, double d),
              (float a, float b, float c, float d), hipaudit_norm4d(a, b, c, d))
HIPAUDIT_BOTH(rnorm4d, (double a, double b, double c, double d),
              (float a, float b, float c, float d), hipaudit_rnorm4d(a, b, c, d))

#undef HIPAUDIT_BOTH

// As in AMD's headers, an int exponent keeps float.
HIPAUDIT_DEVICE double pow(double x, int n) { return powi(x, n); }
HIPAUDIT_DEVICE float pow(float x, int n) { return powif(x, n); }

HIPAUDIT_DEVICE double hypot(double x, double y, double z) { return norm3d(x, y, z); }
HIPAUDIT_DEVICE float hypot(float x, float y, float z) { return norm3df(x, y, z); }
HIPAUDIT_STD(pow)
HIPAUDIT_STD(hypot)

HIPAUDIT_DEVICE double sqrt(double x) {
  return hipaudit::math_result(__builtin_elementwise_sqrt(x), hipaudit::FunctionId::sqrt);
}
HIPAUDIT_DEVICE float sqrtf(float x) {
  return hipaudit::math_result(__builtin_elementwise_sqrt(x), hipaudit::FunctionId::sqrtf);
}
HIPAUDIT_DEVICE float sqrt(float x) { return sqrtf(x); }
template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0>
HIPAUDIT_DEVICE double sqrt(T x) {
  return sqrt(static_cast<double>(x));
}
HIPAUDIT_STD(sqrt)

HIPAUDIT_LIBRARY double hipaudit_rsqrt(double x) noexcept;
HIPAUDIT_DEVICE double rsqrt(double x) {
  return hipaudit::math_result(hipaudit_rsqrt(x), hipaudit::FunctionId::rsqrt);
}
HIPAUDIT_DEVICE float rsqrtf(float x) {
  return hipaudit::math_result(hipaudit::math::rsqrt_float(x), hipaudit::FunctionId::rsqrtf);
}
HIPAUDIT_DEVICE float rsqrt(float x) { return rsqrtf(x); }

// The stores are the kernel's own, so that a checked build sees them.
HIPAUDIT_DEVICE void sincos(double x, double* s, double* c) { *s = sin(x), *c = cos(x); }
HIPAUDIT_DEVICE void sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
HIPAUDIT_DEVICE void sincos(float x, float* s, float* c) { sincosf(x, s, c); }
HIPAUDIT_DEVICE void sincospi(double x, double* s, double* c) { *s = sinpi(x), *c = cospi(x); }
HIPAUDIT_DEVICE void sincospif(float x, float* s, float* c) { *s = sinpif(x), *c = cospif(x); }

// sqrt(sum of squares) of `count` values, one joined after the other without overflow.
HIPAUDIT_DEVICE double norm(int count, const double* a) {
  double length = 0.0;
  for (int i = 0; i < count; ++i) length = hipaudit_norm4d(length, a[i], 0.0, 0.0);
  return hipaudit::math_result(length, hipaudit::FunctionId::norm);
}
HIPAUDIT_DEVICE float normf(int count, const float* a) {
  double sum = 0.0;
  for (int i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * a[i];
  const float length = static_cast<float>(__builtin_elementwise_sqrt(sum));
  return hipaudit::math_result(length, hipaudit::FunctionId::normf);
}
HIPAUDIT_DEVICE double rnorm(int count, const double* a) {
  double length = 0.0;
  for (int i = 0; i < count; ++i) length = hipaudit_norm4d(length, a[i], 0.0, 0.0);
  return hipaudit::math_result(1.0 / length, hipaudit::FunctionId::rnorm);
}
HIPAUDIT_DEVICE float rnormf(int count, const float* a) {
  double sum = 0.0;
  for (int i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * a[i];
  const float inverse = static_cast<float>(1.0 / __builtin_elementwise_sqrt(sum));
  return hipaudit::math_result(inverse, hipaudit::FunctionId::rnormf);
}

HIPAUDIT_EXACT_END
