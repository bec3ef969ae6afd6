// The transcendental functions of HIP's math API for AMD's own processors, for the study of
// generated code.
//
// With HIPAUDIT_DEVICE_LIBRARIES they are AMD's own, ocml's, whose bitcode is linked in. Without,
// those that the backend lowers by itself (exp, log, sin, cos, sqrt of float) are its own, a few
// are stand-ins of similar cost put together from these, and the rest stay calls of ocml's name,
// which a report must name: what they need is not in its figures.
#pragma once

#include "math_core.h"

#if defined(HIPAUDIT_DEVICE_LIBRARIES)
#define HIPAUDIT_CHOICE(LIBRARY, OWN) LIBRARY
#else
#define HIPAUDIT_CHOICE(LIBRARY, OWN) OWN
#endif

// f(double), ff(float), f(float), f(integer); OCML is ocml's name, OWN the float form without it.
#define HIPAUDIT_UNARY_AS(NAME, OCML, OWN)                                                        \
  HIPAUDIT_LIBRARY double __ocml_##OCML##_f64(double);                                            \
  HIPAUDIT_LIBRARY float __ocml_##OCML##_f32(float);                                              \
  HIPAUDIT_DEVICE double NAME(double x) { return __ocml_##OCML##_f64(x); }                        \
  HIPAUDIT_DEVICE float NAME##f(float x) { return HIPAUDIT_CHOICE(__ocml_##OCML##_f32(x), OWN); } \
  HIPAUDIT_DEVICE float NAME(float x) { return NAME##f(x); }                                      \
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0>                         \
  HIPAUDIT_DEVICE double NAME(T x) {                                                              \
    return NAME(static_cast<double>(x));                                                          \
  }
#define HIPAUDIT_UNARY_STD_AS(NAME, OWN) HIPAUDIT_UNARY_AS(NAME, NAME, OWN) HIPAUDIT_STD(NAME)
#define HIPAUDIT_UNARY_STD(NAME) HIPAUDIT_UNARY_STD_AS(NAME, __ocml_##NAME##_f32(x))
#define HIPAUDIT_UNARY(NAME, OCML) HIPAUDIT_UNARY_AS(NAME, OCML, __ocml_##OCML##_f32(x))

#define HIPAUDIT_BINARY(NAME, OWN)                                                      \
  HIPAUDIT_LIBRARY double __ocml_##NAME##_f64(double, double);                          \
  HIPAUDIT_LIBRARY float __ocml_##NAME##_f32(float, float);                             \
  HIPAUDIT_DEVICE double NAME(double x, double y) { return __ocml_##NAME##_f64(x, y); } \
  HIPAUDIT_DEVICE float NAME##f(float x, float y) {                                     \
    return HIPAUDIT_CHOICE(__ocml_##NAME##_f32(x, y), OWN);                             \
  }                                                                                     \
  HIPAUDIT_DEVICE float NAME(float x, float y) { return NAME##f(x, y); }                \
  template <typename T, typename U,                                                     \
            hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&            \
                                       hipaudit::detail::kIsArithmetic<U>> = 0>         \
  HIPAUDIT_DEVICE double NAME(T x, U y) {                                               \
    return NAME(static_cast<double>(x), static_cast<double>(y));                        \
  }

HIPAUDIT_DEVICE double sqrt(double x) { return __builtin_elementwise_sqrt(x); }
HIPAUDIT_DEVICE float sqrtf(float x) { return __builtin_elementwise_sqrt(x); }
HIPAUDIT_DEVICE float sqrt(float x) { return sqrtf(x); }
template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0>
HIPAUDIT_DEVICE double sqrt(T x) {
  return sqrt(static_cast<double>(x));
}
HIPAUDIT_STD(sqrt)

HIPAUDIT_UNARY_STD_AS(exp, __builtin_elementwise_exp(x))
HIPAUDIT_UNARY_STD_AS(exp2, __builtin_elementwise_exp2(x))
HIPAUDIT_UNARY_AS(exp10, exp10, __builtin_elementwise_exp10(x))
HIPAUDIT_UNARY_STD_AS(log, __builtin_elementwise_log(x))
HIPAUDIT_UNARY_STD_AS(log2, __builtin_elementwise_log2(x))
HIPAUDIT_UNARY_STD_AS(log10, __builtin_elementwise_log10(x))
HIPAUDIT_UNARY_STD_AS(sin, __builtin_elementwise_sin(x))
HIPAUDIT_UNARY_STD_AS(cos, __builtin_elementwise_cos(x))
HIPAUDIT_UNARY_AS(rsqrt, rsqrt, 1.0f / __builtin_elementwise_sqrt(x))

namespace hipaudit::math {

// Stand-ins: the usual forms, with the cost of the usual implementations and not their accuracy.
HIPAUDIT_DEVICE float tanh_stand_in(float x) {
  const float t = __builtin_elementwise_exp(-2.0f * __builtin_elementwise_abs(x));
  return __builtin_elementwise_copysign((1.0f - t) / (1.0f + t), x);
}
// Abramowitz and Stegun, 7.1.26.
HIPAUDIT_DEVICE float erfc_stand_in(float x) {
  const float a = __builtin_elementwise_abs(x);
  const float t = 1.0f / (1.0f + 0.3275911f * a);
  const float series =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float tail = series * __builtin_elementwise_exp(-a * a);
  return x < 0.0f ? 2.0f - tail : tail;
}
HIPAUDIT_DEVICE float pow_stand_in(float x, float y) {
  const float power =
      __builtin_elementwise_exp2(y * __builtin_elementwise_log2(__builtin_elementwise_abs(x)));
  const bool odd = y - 2.0f * __builtin_elementwise_trunc(0.5f * y) != 0.0f;
  return odd ? __builtin_elementwise_copysign(power, x) : power;
}

}  // namespace hipaudit::math

HIPAUDIT_UNARY_STD_AS(tan, __builtin_elementwise_sin(x) / __builtin_elementwise_cos(x))
HIPAUDIT_UNARY_STD_AS(tanh, hipaudit::math::tanh_stand_in(x))
HIPAUDIT_UNARY_STD_AS(erf, 1.0f - hipaudit::math::erfc_stand_in(x))
HIPAUDIT_UNARY_STD_AS(erfc, hipaudit::math::erfc_stand_in(x))
HIPAUDIT_UNARY_STD_AS(expm1, __builtin_elementwise_exp(x) - 1.0f)
HIPAUDIT_UNARY_STD_AS(log1p, __builtin_elementwise_log(1.0f + x))
HIPAUDIT_UNARY_STD(cbrt)
HIPAUDIT_UNARY(rcbrt, rcbrt)
HIPAUDIT_UNARY(sinpi, sinpi)
HIPAUDIT_UNARY(cospi, cospi)
HIPAUDIT_UNARY_STD(asin)
HIPAUDIT_UNARY_STD(acos)
HIPAUDIT_UNARY_STD(atan)
HIPAUDIT_UNARY_STD(sinh)
HIPAUDIT_UNARY_STD(cosh)
HIPAUDIT_UNARY_STD(asinh)
HIPAUDIT_UNARY_STD(acosh)
HIPAUDIT_UNARY_STD(atanh)
HIPAUDIT_UNARY_STD(tgamma)
HIPAUDIT_UNARY_STD(lgamma)
HIPAUDIT_UNARY(erfinv, erfinv)
HIPAUDIT_UNARY(erfcinv, erfcinv)
HIPAUDIT_UNARY(erfcx, erfcx)
HIPAUDIT_UNARY(normcdf, ncdf)
HIPAUDIT_UNARY(normcdfinv, ncdfinv)
HIPAUDIT_UNARY(j0, j0)
HIPAUDIT_UNARY(j1, j1)
HIPAUDIT_UNARY(y0, y0)
HIPAUDIT_UNARY(y1, y1)
HIPAUDIT_UNARY(cyl_bessel_i0, i0)
HIPAUDIT_UNARY(cyl_bessel_i1, i1)

HIPAUDIT_BINARY(pow, hipaudit::math::pow_stand_in(x, y))
HIPAUDIT_BINARY(atan2, __ocml_atan2_f32(x, y))
HIPAUDIT_BINARY(hypot, __builtin_elementwise_sqrt(x* x + y * y))
HIPAUDIT_STD(atan2)
HIPAUDIT_STD(hypot)
HIPAUDIT_DEVICE double pow(double x, int n) { return pow(x, static_cast<double>(n)); }
HIPAUDIT_DEVICE float pow(float x, int n) { return powf(x, static_cast<float>(n)); }
HIPAUDIT_STD(pow)

#undef HIPAUDIT_UNARY_AS
#undef HIPAUDIT_UNARY_STD_AS
#undef HIPAUDIT_UNARY_STD
#undef HIPAUDIT_UNARY
#undef HIPAUDIT_BINARY
#undef HIPAUDIT_CHOICE

HIPAUDIT_DEVICE void sincos(double x, double* s, double* c) { *s = sin(x), *c = cos(x); }
HIPAUDIT_DEVICE void sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
HIPAUDIT_DEVICE void sincos(float x, float* s, float* c) { sincosf(x, s, c); }
HIPAUDIT_DEVICE float norm3df(float x, float y, float z) { return sqrtf(x * x + y * y + z * z); }
HIPAUDIT_DEVICE float norm4df(float x, float y, float z, float w) {
  return sqrtf(x * x + y * y + z * z + w * w);
}

// The fast intrinsics: one instruction and a factor each.
HIPAUDIT_DEVICE float __expf(float x) { return __builtin_amdgcn_exp2f(x * 0x1.715476p+0f); }
HIPAUDIT_DEVICE float __exp10f(float x) { return __builtin_amdgcn_exp2f(x * 0x1.a934f0p+1f); }
HIPAUDIT_DEVICE float __log2f(float x) { return __builtin_amdgcn_logf(x); }
HIPAUDIT_DEVICE float __logf(float x) { return __builtin_amdgcn_logf(x) * 0x1.62e430p-1f; }
HIPAUDIT_DEVICE float __log10f(float x) { return __builtin_amdgcn_logf(x) * 0x1.344136p-2f; }
HIPAUDIT_DEVICE float __sinf(float x) { return __builtin_amdgcn_sinf(x * 0x1.45f306p-3f); }
HIPAUDIT_DEVICE float __cosf(float x) { return __builtin_amdgcn_cosf(x * 0x1.45f306p-3f); }
HIPAUDIT_DEVICE float __tanf(float x) { return __sinf(x) / __cosf(x); }
HIPAUDIT_DEVICE float __powf(float x, float y) { return __builtin_amdgcn_exp2f(y * __log2f(x)); }
HIPAUDIT_DEVICE float __fdividef(float x, float y) { return x / y; }
HIPAUDIT_DEVICE void __sincosf(float x, float* s, float* c) { *s = __sinf(x), *c = __cosf(x); }
HIPAUDIT_DEVICE float __frsqrt_rn(float x) { return rsqrtf(x); }
