#include <hip/hip_fp4.h>
#include <hip/hip_fp6.h>

#include "probe.h"

#define MX_PROBES(NAME, SUFFIX, CLASS)                                                  \
  PROBE(SUFFIX##_widen, float, CLASS, static_cast<float>(a))                            \
  PROBE(SUFFIX##_half, __half_raw, CLASS, a)                                            \
  PROBE(SUFFIX##_bfloat, __hip_bfloat16_raw, CLASS, a)                                  \
  PROBE(SUFFIX##_from_float, CLASS, float, CLASS(a))                                    \
  PROBE(SUFFIX##_from_double, CLASS, double, CLASS(a))                                  \
  PROBE(SUFFIX##_from_int, CLASS, int, CLASS(a))                                        \
  PROBE(SUFFIX##_two, __hip_##NAME##x2_##SUFFIX, float2, __hip_##NAME##x2_##SUFFIX(a))  \
  PROBE(SUFFIX##_two_widen, float2, __hip_##NAME##x2_##SUFFIX, a)                       \
  PROBE(SUFFIX##_four, __hip_##NAME##x4_##SUFFIX, float4, __hip_##NAME##x4_##SUFFIX(a)) \
  PROBE(SUFFIX##_four_widen, float4, __hip_##NAME##x4_##SUFFIX, a)

MX_PROBES(fp4, e2m1, __hip_fp4_e2m1)
MX_PROBES(fp6, e2m3, __hip_fp6_e2m3)
MX_PROBES(fp6, e3m2, __hip_fp6_e3m2)

PROBE(e2m1_call, unsigned char, float, __hip_cvt_float_to_fp4(a, __HIP_E2M1, hipRoundNearest))
PROBE(e2m3_call, unsigned char, float, __hip_cvt_float_to_fp6(a, __HIP_E2M3, hipRoundNearest))
PROBE(e3m2_call, unsigned char, float, __hip_cvt_float_to_fp6(a, __HIP_E3M2, hipRoundNearest))
PROBE(e2m1_call_half, unsigned char, __half_raw,
      __hip_cvt_halfraw_to_fp4(a, __HIP_E2M1, hipRoundNearest))
PROBE(e2m3_call_half, unsigned char, __half_raw,
      __hip_cvt_halfraw_to_fp6(a, __HIP_E2M3, hipRoundNearest))
PROBE(e3m2_call_half, unsigned char, __half_raw,
      __hip_cvt_halfraw_to_fp6(a, __HIP_E3M2, hipRoundNearest))
PROBE(e2m1_call_widen, __half_raw, unsigned char, __hip_cvt_fp4_to_halfraw(a, __HIP_E2M1))
PROBE(e2m3_call_widen, __half_raw, unsigned char, __hip_cvt_fp6_to_halfraw(a, __HIP_E2M3))
PROBE(e3m2_call_widen, __half_raw, unsigned char, __hip_cvt_fp6_to_halfraw(a, __HIP_E3M2))
