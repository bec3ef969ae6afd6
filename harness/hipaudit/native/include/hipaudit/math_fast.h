// HIP's fast intrinsics. Here they are as good as the plain functions: what AMD's may lose is
// applied by the adversarial mode alone, under ids of their own.
#pragma once

#include "math_basic.h"
#include "math_float.h"

HIPAUDIT_EXACT_BEGIN

#define HIPAUDIT_FAST(NAME, VALUE)                                          \
  HIPAUDIT_DEVICE float __##NAME(float x) {                                 \
    return hipaudit::math_result(VALUE, hipaudit::FunctionId::fast_##NAME); \
  }

HIPAUDIT_FAST(expf, hipaudit::math::exp_float(x))
HIPAUDIT_FAST(exp10f, hipaudit::math::exp10_float(x))
HIPAUDIT_FAST(logf, hipaudit::math::log_float(x))
HIPAUDIT_FAST(log2f, hipaudit::math::log2_float(x))
HIPAUDIT_FAST(log10f, hipaudit::math::log10_float(x))
HIPAUDIT_FAST(sinf, hipaudit::math::sin_float(x))
HIPAUDIT_FAST(cosf, hipaudit::math::cos_float(x))
HIPAUDIT_FAST(tanf, hipaudit::math::tan_float(x))
#undef HIPAUDIT_FAST

HIPAUDIT_DEVICE float __powf(float x, float y) {
  return hipaudit::math_result(hipaudit_powf(x, y), hipaudit::FunctionId::fast_powf);
}
HIPAUDIT_DEVICE float __fdividef(float x, float y) {
  return hipaudit::math_result(x / y, hipaudit::FunctionId::fast_fdividef);
}
HIPAUDIT_DEVICE void __sincosf(float x, float* s, float* c) { *s = __sinf(x), *c = __cosf(x); }
HIPAUDIT_DEVICE float __frsqrt_rn(float x) { return rsqrtf(x); }

HIPAUDIT_EXACT_END
