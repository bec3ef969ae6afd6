// HIP's 4-bit floating point, e2m1: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
#pragma once

#include "../hipaudit/mx_float.h"

using __hip_fp4_storage_t = unsigned char;
using __hip_fp4x2_storage_t = unsigned char;
using __hip_fp4x4_storage_t = unsigned short;

enum __hip_fp4_interpretation_t {
  __HIP_E2M1 = 0,
};

HIPAUDIT_MX_CLASSES(fp4, e2m1, hipaudit::detail::E2M1)

#define HIPAUDIT_FP4_FROM(FROM, TYPE, CLASS)                  \
  HIPAUDIT_HOST_DEVICE decltype(CLASS::__x) __hip_cvt_##FROM( \
      TYPE value, __hip_fp4_interpretation_t, hipRoundMode) { \
    return CLASS(value).__x;                                  \
  }
HIPAUDIT_FP4_FROM(float_to_fp4, float, __hip_fp4_e2m1)
HIPAUDIT_FP4_FROM(double_to_fp4, double, __hip_fp4_e2m1)
HIPAUDIT_FP4_FROM(halfraw_to_fp4, __half_raw, __hip_fp4_e2m1)
HIPAUDIT_FP4_FROM(bfloat16raw_to_fp4, __hip_bfloat16_raw, __hip_fp4_e2m1)
HIPAUDIT_FP4_FROM(float2_to_fp4x2, float2, __hip_fp4x2_e2m1)
HIPAUDIT_FP4_FROM(double2_to_fp4x2, double2, __hip_fp4x2_e2m1)
HIPAUDIT_FP4_FROM(halfraw2_to_fp4x2, __half2_raw, __hip_fp4x2_e2m1)
HIPAUDIT_FP4_FROM(bfloat16raw2_to_fp4x2, __hip_bfloat162_raw, __hip_fp4x2_e2m1)
#undef HIPAUDIT_FP4_FROM

HIPAUDIT_HOST_DEVICE __half_raw __hip_cvt_fp4_to_halfraw(__hip_fp4_storage_t code,
                                                         __hip_fp4_interpretation_t) {
  __hip_fp4_e2m1 value;
  value.__x = code;
  return value;
}
HIPAUDIT_HOST_DEVICE __half2_raw __hip_cvt_fp4x2_to_halfraw2(__hip_fp4x2_storage_t codes,
                                                             __hip_fp4_interpretation_t) {
  __hip_fp4x2_e2m1 pair;
  pair.__x = codes;
  return pair;
}
