// What the device math headers share: the hook that every transcendental result passes through, and
// bit-level helpers. Each header that computes starts with HIPAUDIT_EXACT_BEGIN: its arithmetic is
// done as written, whatever the kernel's options say about contraction or fast math, so that a
// function has the same bits in every kernel and on every host.
#pragma once

#include "../hip/host_defines.h"

#define HIPAUDIT_EXACT_BEGIN                                           \
  _Pragma("float_control(push)") _Pragma("float_control(precise, on)") \
      _Pragma("clang fp contract(off)")
#define HIPAUDIT_EXACT_END _Pragma("float_control(pop)")

namespace hipaudit {

// Which function a result comes from: the row of math_ulp.json with the same name.
// clang-format off
enum class FunctionId : unsigned short {
  acos, acosf, acosh, acoshf, asin, asinf, asinh, asinhf, atan, atanf, atan2, atan2f, atanh, atanhf,
  cbrt, cbrtf, cos, cosf, cosh, coshf, cospi, cospif, cyl_bessel_i0, cyl_bessel_i0f, cyl_bessel_i1,
  cyl_bessel_i1f, erf, erff, erfc, erfcf, erfcinv, erfcinvf, erfcx, erfcxf, erfinv, erfinvf, exp, expf,
  exp10, exp10f, exp2, exp2f, expm1, expm1f, hypot, hypotf, j0, j0f, j1, j1f, jn, jnf, lgamma, lgammaf,
  log, logf, log10, log10f, log1p, log1pf, log2, log2f, norm, normf, norm3d, norm3df, norm4d, norm4df,
  normcdf, normcdff, normcdfinv, normcdfinvf, pow, powf, powi, powif, rcbrt, rcbrtf, rhypot, rhypotf,
  rnorm, rnormf, rnorm3d, rnorm3df, rnorm4d, rnorm4df, rsqrt, rsqrtf, sin, sinf, sinh, sinhf, sinpi,
  sinpif, sqrt, sqrtf, tan, tanf, tanh, tanhf, tgamma, tgammaf, y0, y0f, y1, y1f, yn, ynf,
  fast_cosf, fast_exp10f, fast_expf, fast_fdividef, fast_log10f, fast_log2f, fast_logf, fast_powf,
  fast_sinf, fast_tanf, fast_rcpf, fast_rcp, fast_rsqf, fast_rsq, fast_sqrtf, fast_sqrt, fast_exp2f,
  fast_sin_turnsf, fast_cos_turnsf,
};
// clang-format on

// The one place that every transcendental result passes through. HIPAUDIT_ADVERSARIAL, where
// defined, names a device function of (value, FunctionId), declared before this header, that
// returns the value moved within the error that AMD documents for that function.
template <typename T>
HIPAUDIT_DEVICE T math_result(T value, [[maybe_unused]] FunctionId function) {
#if defined(HIPAUDIT_ADVERSARIAL)
  return HIPAUDIT_ADVERSARIAL(value, function);
#else
  return value;
#endif
}

HIPAUDIT_EXACT_BEGIN

namespace math {

using Bits = unsigned long long;

HIPAUDIT_DEVICE Bits bits_of(double x) { return __builtin_bit_cast(Bits, x); }
HIPAUDIT_DEVICE unsigned bits_of(float x) { return __builtin_bit_cast(unsigned, x); }
HIPAUDIT_DEVICE double from_bits(Bits bits) { return __builtin_bit_cast(double, bits); }
HIPAUDIT_DEVICE float from_bits(unsigned bits) { return __builtin_bit_cast(float, bits); }
HIPAUDIT_DEVICE double magnitude(double x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE float magnitude(float x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE double with_sign(double x, double y) {
  return __builtin_elementwise_copysign(x, y);
}
HIPAUDIT_DEVICE float with_sign(float x, float y) { return __builtin_elementwise_copysign(x, y); }
HIPAUDIT_DEVICE double fused(double x, double y, double z) {
  return __builtin_elementwise_fma(x, y, z);
}
HIPAUDIT_DEVICE float fused(float x, float y, float z) {
  return __builtin_elementwise_fma(x, y, z);
}

// Tests on bits: a kernel compiled with -ffast-math must still see a NaN here.
HIPAUDIT_DEVICE bool is_nan(double x) { return (bits_of(x) << 1) > 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_nan(float x) { return (bits_of(x) << 1) > 0xff000000u; }
HIPAUDIT_DEVICE bool is_infinite(double x) { return (bits_of(x) << 1) == 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_infinite(float x) { return (bits_of(x) << 1) == 0xff000000u; }
HIPAUDIT_DEVICE bool is_finite(double x) { return (bits_of(x) << 1) < 0xffe0000000000000u; }
HIPAUDIT_DEVICE bool is_finite(float x) { return (bits_of(x) << 1) < 0xff000000u; }
HIPAUDIT_DEVICE bool is_negative(double x) { return (bits_of(x) >> 63) != 0; }
HIPAUDIT_DEVICE bool is_negative(float x) { return (bits_of(x) >> 31) != 0; }

// The type that <cmath> computes in: float when all arguments are, otherwise double.
template <typename... T>
struct Promote {
  using Type = double;
};
template <>
struct Promote<float> {
  using Type = float;
};
template <>
struct Promote<float, float> {
  using Type = float;
};
template <>
struct Promote<float, float, float> {
  using Type = float;
};
template <typename... T>
using Promoted = typename Promote<T...>::Type;

}  // namespace math

HIPAUDIT_EXACT_END

}  // namespace hipaudit
