// HIP's 6-bit floating point: e2m3 (to 7.5) and e3m2 (to 28), each code in a byte of its own.
#pragma once

#include "../hipaudit/mx_float.h"

using __hip_fp6_storage_t = unsigned char;
using __hip_fp6x2_storage_t = unsigned short;
using __hip_fp6x4_storage_t = unsigned int;

enum __hip_fp6_interpretation_t {
  __HIP_E2M3 = 0,
  __HIP_E3M2 = 1,
};

HIPAUDIT_MX_CLASSES(fp6, e2m3, hipaudit::detail::E2M3)
HIPAUDIT_MX_CLASSES(fp6, e3m2, hipaudit::detail::E3M2)

#define HIPAUDIT_FP6_FROM(FROM, TYPE, CLASS)                                                 \
  HIPAUDIT_HOST_DEVICE decltype(CLASS##_e2m3::__x) __hip_cvt_##FROM(                         \
      TYPE value, __hip_fp6_interpretation_t interpretation, hipRoundMode) {                 \
    return interpretation == __HIP_E2M3 ? CLASS##_e2m3(value).__x : CLASS##_e3m2(value).__x; \
  }
HIPAUDIT_FP6_FROM(float_to_fp6, float, __hip_fp6)
HIPAUDIT_FP6_FROM(double_to_fp6, double, __hip_fp6)
HIPAUDIT_FP6_FROM(halfraw_to_fp6, __half_raw, __hip_fp6)
HIPAUDIT_FP6_FROM(bfloat16raw_to_fp6, __hip_bfloat16_raw, __hip_fp6)
HIPAUDIT_FP6_FROM(float2_to_fp6x2, float2, __hip_fp6x2)
HIPAUDIT_FP6_FROM(double2_to_fp6x2, double2, __hip_fp6x2)
HIPAUDIT_FP6_FROM(halfraw2_to_fp6x2, __half2_raw, __hip_fp6x2)
HIPAUDIT_FP6_FROM(bfloat16raw2_to_fp6x2, __hip_bfloat162_raw, __hip_fp6x2)
#undef HIPAUDIT_FP6_FROM

HIPAUDIT_HOST_DEVICE __half_raw
__hip_cvt_fp6_to_halfraw(__hip_fp6_storage_t code, __hip_fp6_interpretation_t interpretation) {
  const float value = interpretation == __HIP_E2M3 ? hipaudit::detail::E2M3::decode(code)
                                                   : hipaudit::detail::E3M2::decode(code);
  return __half_raw{static_cast<_Float16>(value)};
}
HIPAUDIT_HOST_DEVICE __half2_raw __hip_cvt_fp6x2_to_halfraw2(
    __hip_fp6x2_storage_t codes, __hip_fp6_interpretation_t interpretation) {
  __half2_raw pair;
  pair.x = __hip_cvt_fp6_to_halfraw(static_cast<__hip_fp6_storage_t>(codes), interpretation);
  pair.y = __hip_cvt_fp6_to_halfraw(static_cast<__hip_fp6_storage_t>(codes >> 8), interpretation);
  return pair;
}
