#include <hip/hip_fp8.h>

#include "probe.h"

#define FORMAT_PROBES(NAME, INTERPRETATION)                                                     \
  PROBE(NAME##_to_half, __half_raw, unsigned char, __hip_cvt_fp8_to_halfraw(a, INTERPRETATION)) \
  PROBE(NAME##_saturated, unsigned char, float,                                                 \
        __hip_cvt_float_to_fp8(a, __HIP_SATFINITE, INTERPRETATION))                             \
  PROBE(NAME##_unsaturated, unsigned char, float,                                               \
        __hip_cvt_float_to_fp8(a, __HIP_NOSAT, INTERPRETATION))                                 \
  PROBE(NAME##_from_double, unsigned char, double,                                              \
        __hip_cvt_double_to_fp8(a, __HIP_NOSAT, INTERPRETATION))                                \
  PROBE(NAME##_from_half, unsigned char, __half_raw,                                            \
        __hip_cvt_halfraw_to_fp8(a, __HIP_NOSAT, INTERPRETATION))                               \
  PROBE(NAME##_from_bfloat, unsigned char, __hip_bfloat16_raw,                                  \
        __hip_cvt_bfloat16raw_to_fp8(a, __HIP_NOSAT, INTERPRETATION))                           \
  PROBE(NAME##_pair_from_floats, unsigned short, float2,                                        \
        __hip_cvt_float2_to_fp8x2(a, __HIP_NOSAT, INTERPRETATION))                              \
  PROBE(NAME##_pair_from_doubles, unsigned short, double2,                                      \
        __hip_cvt_double2_to_fp8x2(a, __HIP_NOSAT, INTERPRETATION))                             \
  PROBE(NAME##_pair_to_halves, __half2_raw, unsigned short,                                     \
        __hip_cvt_fp8x2_to_halfraw2(a, INTERPRETATION))                                         \
  PROBE(NAME##_class_widen, float, __hip_fp8_##NAME, static_cast<float>(a))                     \
  PROBE(NAME##_class_to_half, __half, __hip_fp8_##NAME, static_cast<__half>(a))                 \
  PROBE(NAME##_class_to_int, int, __hip_fp8_##NAME, static_cast<int>(a))                        \
  PROBE(NAME##_class_to_byte, unsigned char, __hip_fp8_##NAME, static_cast<unsigned char>(a))   \
  PROBE(NAME##_class_to_bool, bool, __hip_fp8_##NAME, static_cast<bool>(a))                     \
  PROBE(NAME##_class_from_float, __hip_fp8_##NAME, float, __hip_fp8_##NAME(a))                  \
  PROBE(NAME##_class_from_int, __hip_fp8_##NAME, int, __hip_fp8_##NAME(a))                      \
  PROBE(NAME##_four, __hip_fp8x4_##NAME, float4, __hip_fp8x4_##NAME(a))                         \
  PROBE(NAME##_four_widen, float4, __hip_fp8x4_##NAME, static_cast<float4>(a))                  \
  PROBE2(NAME##_four_of_pairs, __hip_fp8x4_##NAME, __half2, __half2, __hip_fp8x4_##NAME(a, b))  \
  PROBE(NAME##_two_widen, float2, __hip_fp8x2_##NAME, static_cast<float2>(a))

FORMAT_PROBES(e4m3, __HIP_E4M3)
FORMAT_PROBES(e5m2, __HIP_E5M2)
FORMAT_PROBES(e4m3_fnuz, __HIP_E4M3_FNUZ)
FORMAT_PROBES(e5m2_fnuz, __HIP_E5M2_FNUZ)

PROBE(e8m0_widen, float, __hip_fp8_e8m0, static_cast<float>(a))
PROBE(e8m0_bfloat, __hip_bfloat16_raw, unsigned char, __hip_cvt_e8m0_to_bf16raw(a))
PROBE(e8m0_down, unsigned char, float, __hip_cvt_float_to_e8m0(a, __HIP_NOSAT, hipRoundZero))
PROBE(e8m0_up, unsigned char, float, __hip_cvt_float_to_e8m0(a, __HIP_NOSAT, hipRoundPosInf))
PROBE(e8m0_up_saturated, unsigned char, float,
      __hip_cvt_float_to_e8m0(a, __HIP_SATFINITE, hipRoundPosInf))
PROBE(e8m0_double_up, unsigned char, double,
      __hip_cvt_double_to_e8m0(a, __HIP_NOSAT, hipRoundPosInf))
PROBE(e8m0_class, __hip_fp8_e8m0, float, __hip_fp8_e8m0(a))
PROBE(e8m0_from_long, __hip_fp8_e8m0, long, __hip_fp8_e8m0(a))
PROBE(e8m0_to_int, int, __hip_fp8_e8m0, static_cast<int>(a))
