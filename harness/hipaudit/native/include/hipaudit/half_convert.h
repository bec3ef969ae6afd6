// Conversions and moves of __half and __half2.
//
// The _rn, _rz, _rd and _ru forms round as their names say, on the host as well, and conversions to
// integers saturate with NaN as 0. (AMD's header truncates in all four forms to an integer, and
// rounds to nearest in all four from one.)
#pragma once

#include "../hip/hip_vector_types.h"
#include "half_type.h"

namespace hipaudit::detail {

template <Rounding kRounding>
HIPAUDIT_HOST_DEVICE __half float_to_half(float value) {
  const __half nearest = narrow<__half>(value);
  const unsigned short code = __builtin_bit_cast(unsigned short, nearest);
  return __builtin_bit_cast(__half, redirect<kRounding>(code, widen(nearest), value));
}

}  // namespace hipaudit::detail

HIPAUDIT_HOST_DEVICE short __half_as_short(const __half& a) { return __builtin_bit_cast(short, a); }
HIPAUDIT_HOST_DEVICE unsigned short __half_as_ushort(const __half& a) {
  return __builtin_bit_cast(unsigned short, a);
}
HIPAUDIT_HOST_DEVICE __half __short_as_half(short code) { return __builtin_bit_cast(__half, code); }
HIPAUDIT_HOST_DEVICE __half __ushort_as_half(unsigned short code) {
  return __builtin_bit_cast(__half, code);
}

#define HIPRT_INF_FP16 __ushort_as_half(static_cast<unsigned short>(0x7C00U))
#define HIPRT_MAX_NORMAL_FP16 __ushort_as_half(static_cast<unsigned short>(0x7BFFU))
#define HIPRT_MIN_DENORM_FP16 __ushort_as_half(static_cast<unsigned short>(0x0001U))
#define HIPRT_NAN_FP16 __ushort_as_half(static_cast<unsigned short>(0x7FFFU))
#define HIPRT_NEG_ZERO_FP16 __ushort_as_half(static_cast<unsigned short>(0x8000U))
#define HIPRT_ONE_FP16 __ushort_as_half(static_cast<unsigned short>(0x3C00U))
#define HIPRT_ZERO_FP16 __ushort_as_half(static_cast<unsigned short>(0x0000U))

HIPAUDIT_HOST_DEVICE __half __float2half(float a) { return hipaudit::detail::narrow<__half>(a); }
HIPAUDIT_HOST_DEVICE __half __float2half_rn(float a) { return __float2half(a); }
HIPAUDIT_HOST_DEVICE __half __float2half_rz(float a) {
  return hipaudit::detail::float_to_half<hipaudit::detail::Rounding::zero>(a);
}
HIPAUDIT_HOST_DEVICE __half __float2half_rd(float a) {
  return hipaudit::detail::float_to_half<hipaudit::detail::Rounding::down>(a);
}
HIPAUDIT_HOST_DEVICE __half __float2half_ru(float a) {
  return hipaudit::detail::float_to_half<hipaudit::detail::Rounding::up>(a);
}
HIPAUDIT_HOST_DEVICE float __half2float(const __half& a) { return hipaudit::detail::widen(a); }

HIPAUDIT_HOST_DEVICE __half2 __float2half2_rn(float a) {
  return __half2{__float2half(a), __float2half(a)};
}
HIPAUDIT_HOST_DEVICE __half2 __floats2half2_rn(float a, float b) {
  return __half2{__float2half(a), __float2half(b)};
}
HIPAUDIT_HOST_DEVICE __half2 __float22half2_rn(float2 a) { return __floats2half2_rn(a.x, a.y); }
HIPAUDIT_HOST_DEVICE float2 __half22float2(const __half2& a) {
  return make_float2(__half2float(a.x), __half2float(a.y));
}
HIPAUDIT_HOST_DEVICE float __low2float(const __half2& a) { return __half2float(a.x); }
HIPAUDIT_HOST_DEVICE float __high2float(const __half2& a) { return __half2float(a.y); }

HIPAUDIT_HOST_DEVICE __half2 make_half2(const __half& x, const __half& y) { return __half2{x, y}; }
HIPAUDIT_HOST_DEVICE __half2 __halves2half2(const __half& low, const __half& high) {
  return __half2{low, high};
}
HIPAUDIT_HOST_DEVICE __half2 __half2half2(const __half& a) { return __half2{a, a}; }
HIPAUDIT_HOST_DEVICE __half __low2half(const __half2& a) { return a.x; }
HIPAUDIT_HOST_DEVICE __half __high2half(const __half2& a) { return a.y; }
HIPAUDIT_HOST_DEVICE __half2 __low2half2(const __half2& a) { return __half2{a.x, a.x}; }
HIPAUDIT_HOST_DEVICE __half2 __high2half2(const __half2& a) { return __half2{a.y, a.y}; }
HIPAUDIT_HOST_DEVICE __half2 __lows2half2(const __half2& a, const __half2& b) {
  return __half2{a.x, b.x};
}
HIPAUDIT_HOST_DEVICE __half2 __highs2half2(const __half2& a, const __half2& b) {
  return __half2{a.y, b.y};
}
HIPAUDIT_HOST_DEVICE __half2 __lowhigh2highlow(const __half2& a) { return __half2{a.y, a.x}; }

// Integers of more than 24 bits lose digits on the way through float, but all of them are beyond
// the largest finite __half, so every rounding still comes out right.
#define HIPAUDIT_HALF_INTEGER_ROUNDED(NAME, T, SUFFIX, ROUNDING)                               \
  HIPAUDIT_HOST_DEVICE T __half2##NAME##_##SUFFIX(const __half& a) {                           \
    return hipaudit::detail::saturate_to<T>(                                                   \
        hipaudit::detail::to_integral<hipaudit::detail::Rounding::ROUNDING>(__half2float(a))); \
  }                                                                                            \
  HIPAUDIT_HOST_DEVICE __half __##NAME##2half_##SUFFIX(T a) {                                  \
    return hipaudit::detail::float_to_half<hipaudit::detail::Rounding::ROUNDING>(              \
        static_cast<float>(a));                                                                \
  }
#define HIPAUDIT_HALF_INTEGER(NAME, T)                \
  HIPAUDIT_HALF_INTEGER_ROUNDED(NAME, T, rn, nearest) \
  HIPAUDIT_HALF_INTEGER_ROUNDED(NAME, T, rz, zero)    \
  HIPAUDIT_HALF_INTEGER_ROUNDED(NAME, T, rd, down)    \
  HIPAUDIT_HALF_INTEGER_ROUNDED(NAME, T, ru, up)

HIPAUDIT_HALF_INTEGER(short, short)
HIPAUDIT_HALF_INTEGER(ushort, unsigned short)
HIPAUDIT_HALF_INTEGER(int, int)
HIPAUDIT_HALF_INTEGER(uint, unsigned int)
HIPAUDIT_HALF_INTEGER(ll, long long)
HIPAUDIT_HALF_INTEGER(ull, unsigned long long)
#undef HIPAUDIT_HALF_INTEGER
#undef HIPAUDIT_HALF_INTEGER_ROUNDED

// Loads with a cache hint, which the emulated device has no use for.
#define HIPAUDIT_HALF_LOAD(NAME)                                          \
  HIPAUDIT_DEVICE __half NAME(const __half* address) { return *address; } \
  HIPAUDIT_DEVICE __half2 NAME(const __half2* address) { return *address; }

HIPAUDIT_HALF_LOAD(__ldg)
HIPAUDIT_HALF_LOAD(__ldca)
HIPAUDIT_HALF_LOAD(__ldcg)
HIPAUDIT_HALF_LOAD(__ldcs)
#undef HIPAUDIT_HALF_LOAD
