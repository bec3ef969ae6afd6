// HIP's bfloat16: __hip_bfloat16, __hip_bfloat162 and their functions.
#pragma once

#include "../hipaudit/atomics.h"
#include "../hipaudit/bfloat_type.h"
#include "../hipaudit/math.h"

#define HALF __hip_bfloat16
#define HALF2 __hip_bfloat162
#include "../hipaudit/half_arithmetic.inc"
#include "../hipaudit/half_atomic.inc"
#include "../hipaudit/half_math.inc"
#undef HALF
#undef HALF2

HIPAUDIT_HOST_DEVICE short __bfloat16_as_short(const __hip_bfloat16& a) {
  return __builtin_bit_cast(short, a);
}
HIPAUDIT_HOST_DEVICE unsigned short __bfloat16_as_ushort(const __hip_bfloat16& a) {
  return __builtin_bit_cast(unsigned short, a);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __short_as_bfloat16(short code) {
  return __builtin_bit_cast(__hip_bfloat16, code);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __ushort_as_bfloat16(unsigned short code) {
  return __builtin_bit_cast(__hip_bfloat16, code);
}

#define HIPRT_INF_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7F80U))
#define HIPRT_MAX_NORMAL_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7F7FU))
#define HIPRT_MIN_DENORM_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x0001U))
#define HIPRT_NAN_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x7FFFU))
#define HIPRT_NEG_ZERO_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x8000U))
#define HIPRT_ONE_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x3F80U))
#define HIPRT_ZERO_BF16 __ushort_as_bfloat16(static_cast<unsigned short>(0x0000U))

HIPAUDIT_HOST_DEVICE float __bfloat162float(const __hip_bfloat16& a) {
  return hipaudit::detail::widen(a);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __float2bfloat16(float a) {
  return hipaudit::detail::narrow<__hip_bfloat16>(a);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __float2bfloat16_rn(float a) { return __float2bfloat16(a); }
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __double2bfloat16(double a) { return __hip_bfloat16(a); }
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __int2bfloat16_rn(int a) { return __hip_bfloat16(a); }

HIPAUDIT_HOST_DEVICE __hip_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return __hip_bfloat162{__float2bfloat16(a), __float2bfloat16(b)};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __float22bfloat162_rn(float2 a) {
  return __floats2bfloat162_rn(a.x, a.y);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __float2bfloat162_rn(float a) {
  return __floats2bfloat162_rn(a, a);
}
HIPAUDIT_HOST_DEVICE float2 __bfloat1622float2(const __hip_bfloat162& a) {
  return make_float2(__bfloat162float(a.x), __bfloat162float(a.y));
}
HIPAUDIT_HOST_DEVICE float __low2float(const __hip_bfloat162& a) { return __bfloat162float(a.x); }
HIPAUDIT_HOST_DEVICE float __high2float(const __hip_bfloat162& a) { return __bfloat162float(a.y); }

HIPAUDIT_HOST_DEVICE __hip_bfloat162 make_bfloat162(const __hip_bfloat16& x,
                                                    const __hip_bfloat16& y) {
  return __hip_bfloat162{x, y};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __halves2bfloat162(const __hip_bfloat16& low,
                                                        const __hip_bfloat16& high) {
  return __hip_bfloat162{low, high};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __bfloat162bfloat162(const __hip_bfloat16& a) {
  return __hip_bfloat162{a, a};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __low2bfloat16(const __hip_bfloat162& a) { return a.x; }
HIPAUDIT_HOST_DEVICE __hip_bfloat16 __high2bfloat16(const __hip_bfloat162& a) { return a.y; }
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __low2bfloat162(const __hip_bfloat162& a) {
  return __hip_bfloat162{a.x, a.x};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __high2bfloat162(const __hip_bfloat162& a) {
  return __hip_bfloat162{a.y, a.y};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __lows2bfloat162(const __hip_bfloat162& a,
                                                      const __hip_bfloat162& b) {
  return __hip_bfloat162{a.x, b.x};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __highs2bfloat162(const __hip_bfloat162& a,
                                                       const __hip_bfloat162& b) {
  return __hip_bfloat162{a.y, b.y};
}
HIPAUDIT_HOST_DEVICE __hip_bfloat162 __lowhigh2highlow(const __hip_bfloat162& a) {
  return __hip_bfloat162{a.y, a.x};
}
