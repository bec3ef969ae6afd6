// HIP's 8-bit floating point: four formats, alone and packed by two and four, and the scale E8M0.
//
// Conversions to a class saturate. All four formats work on every emulated part, though a real one
// converts either the OCP formats (gfx950, gfx1201) or the fnuz ones (gfx942) in hardware.
#pragma once

#include "../hipaudit/e8m0.h"
#include "../hipaudit/fp8_code.h"
#include "hip_bf16.h"
#include "hip_fp16.h"

HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_float_to_fp8(
    float value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return hipaudit::detail::encode_fp8(value, saturation, interpretation);
}
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_double_to_fp8(
    double value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float_to_fp8(hipaudit::detail::narrow_to_odd(value), saturation, interpretation);
}
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_halfraw_to_fp8(
    __half_raw value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float_to_fp8(static_cast<float>(value.data), saturation, interpretation);
}
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t
__hip_cvt_bfloat16raw_to_fp8(__hip_bfloat16_raw value, __hip_saturation_t saturation,
                             __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float_to_fp8(hipaudit::detail::bfloat_value(value.x), saturation,
                                interpretation);
}

// The first element is in the low byte.
HIPAUDIT_HOST_DEVICE __hip_fp8x2_storage_t __hip_cvt_float2_to_fp8x2(
    float2 value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return static_cast<__hip_fp8x2_storage_t>(
      __hip_cvt_float_to_fp8(value.x, saturation, interpretation) |
      __hip_cvt_float_to_fp8(value.y, saturation, interpretation) << 8);
}
HIPAUDIT_HOST_DEVICE __hip_fp8x2_storage_t __hip_cvt_double2_to_fp8x2(
    double2 value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float2_to_fp8x2(make_float2(hipaudit::detail::narrow_to_odd(value.x),
                                               hipaudit::detail::narrow_to_odd(value.y)),
                                   saturation, interpretation);
}
HIPAUDIT_HOST_DEVICE __hip_fp8x2_storage_t __hip_cvt_halfraw2_to_fp8x2(
    __half2_raw value, __hip_saturation_t saturation, __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float2_to_fp8x2(
      make_float2(static_cast<float>(value.x.data), static_cast<float>(value.y.data)), saturation,
      interpretation);
}
HIPAUDIT_HOST_DEVICE __hip_fp8x2_storage_t
__hip_cvt_bfloat16raw2_to_fp8x2(__hip_bfloat162_raw value, __hip_saturation_t saturation,
                                __hip_fp8_interpretation_t interpretation) {
  return __hip_cvt_float2_to_fp8x2(
      make_float2(hipaudit::detail::bfloat_value(value.x), hipaudit::detail::bfloat_value(value.y)),
      saturation, interpretation);
}

// Exact: every value of the four formats is a half.
HIPAUDIT_HOST_DEVICE __half_raw
__hip_cvt_fp8_to_halfraw(__hip_fp8_storage_t code, __hip_fp8_interpretation_t interpretation) {
  return __half_raw{static_cast<_Float16>(hipaudit::detail::decode_fp8(code, interpretation))};
}
HIPAUDIT_HOST_DEVICE __half2_raw __hip_cvt_fp8x2_to_halfraw2(
    __hip_fp8x2_storage_t codes, __hip_fp8_interpretation_t interpretation) {
  __half2_raw pair;
  pair.x = __hip_cvt_fp8_to_halfraw(static_cast<__hip_fp8_storage_t>(codes), interpretation);
  pair.y = __hip_cvt_fp8_to_halfraw(static_cast<__hip_fp8_storage_t>(codes >> 8), interpretation);
  return pair;
}

namespace hipaudit::detail {

template <__hip_fp8_interpretation_t kInterpretation>
struct Fp8 {
  __hip_fp8_storage_t __x;
  static constexpr __hip_saturation_t __default_saturation = __HIP_SATFINITE;
  static constexpr __hip_fp8_interpretation_t __default_interpret = kInterpretation;

  Fp8() = default;
  HIPAUDIT_HOST_DEVICE Fp8(float value)
      : __x(encode_fp8(value, __default_saturation, kInterpretation)) {}
  HIPAUDIT_HOST_DEVICE Fp8(double value) : Fp8(narrow_to_odd(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(__half value) : Fp8(widen(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(__hip_bfloat16 value) : Fp8(widen(value)) {}
  // An integer that float cannot hold is beyond every format's largest value.
  HIPAUDIT_HOST_DEVICE Fp8(short value) : Fp8(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(unsigned short value) : Fp8(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(int value) : Fp8(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(unsigned int value) : Fp8(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(long value) : Fp8(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE Fp8(unsigned long value) : Fp8(static_cast<float>(value)) {}

  HIPAUDIT_HOST_DEVICE operator float() const { return decode_fp8(__x, kInterpretation); }
  HIPAUDIT_HOST_DEVICE operator double() const { return decode_fp8(__x, kInterpretation); }
  HIPAUDIT_HOST_DEVICE operator __half() const {
    return narrow<__half>(decode_fp8(__x, kInterpretation));
  }
  HIPAUDIT_HOST_DEVICE operator __hip_bfloat16() const {
    return narrow<__hip_bfloat16>(decode_fp8(__x, kInterpretation));
  }
  HIPAUDIT_HOST_DEVICE operator bool() const {
    return (fp8_format(kInterpretation).unsigned_zero ? __x : __x & 0x7f) != 0;
  }
  HIPAUDIT_HOST_DEVICE operator char() const { return integer<char>(); }
  HIPAUDIT_HOST_DEVICE operator signed char() const { return integer<signed char>(); }
  HIPAUDIT_HOST_DEVICE operator unsigned char() const { return integer<unsigned char>(); }
  HIPAUDIT_HOST_DEVICE operator short() const { return integer<short>(); }
  HIPAUDIT_HOST_DEVICE operator unsigned short() const { return integer<unsigned short>(); }
  HIPAUDIT_HOST_DEVICE operator int() const { return integer<int>(); }
  HIPAUDIT_HOST_DEVICE operator unsigned int() const { return integer<unsigned int>(); }
  HIPAUDIT_HOST_DEVICE operator long() const { return integer<long>(); }
  HIPAUDIT_HOST_DEVICE operator unsigned long() const { return integer<unsigned long>(); }
  HIPAUDIT_HOST_DEVICE operator long long() const { return integer<long long>(); }
  HIPAUDIT_HOST_DEVICE operator unsigned long long() const { return integer<unsigned long long>(); }

 private:
  // Truncated and saturated; NaN is 0.
  template <typename T>
  HIPAUDIT_HOST_DEVICE T integer() const {
    return saturate_to<T>(to_integral<Rounding::zero>(decode_fp8(__x, kInterpretation)));
  }
};

template <__hip_fp8_interpretation_t kInterpretation>
struct Fp8x2 {
  __hip_fp8x2_storage_t __x;
  static constexpr __hip_saturation_t __default_saturation = __HIP_SATFINITE;
  static constexpr __hip_fp8_interpretation_t __default_interpret = kInterpretation;

  Fp8x2() = default;
  HIPAUDIT_HOST_DEVICE Fp8x2(float2 value)
      : __x(__hip_cvt_float2_to_fp8x2(value, __default_saturation, kInterpretation)) {}
  HIPAUDIT_HOST_DEVICE Fp8x2(double2 value)
      : __x(__hip_cvt_double2_to_fp8x2(value, __default_saturation, kInterpretation)) {}
  HIPAUDIT_HOST_DEVICE Fp8x2(__half2 value)
      : __x(__hip_cvt_halfraw2_to_fp8x2(value, __default_saturation, kInterpretation)) {}
  HIPAUDIT_HOST_DEVICE Fp8x2(__hip_bfloat162 value)
      : __x(__hip_cvt_bfloat16raw2_to_fp8x2(value, __default_saturation, kInterpretation)) {}

  HIPAUDIT_HOST_DEVICE operator float2() const {
    return make_float2(decode_fp8(static_cast<__hip_fp8_storage_t>(__x), kInterpretation),
                       decode_fp8(static_cast<__hip_fp8_storage_t>(__x >> 8), kInterpretation));
  }
  HIPAUDIT_HOST_DEVICE operator __half2() const {
    return __hip_cvt_fp8x2_to_halfraw2(__x, kInterpretation);
  }
};

template <__hip_fp8_interpretation_t kInterpretation>
struct Fp8x4 {
  __hip_fp8x4_storage_t __x;
  static constexpr __hip_saturation_t __default_saturation = __HIP_SATFINITE;
  static constexpr __hip_fp8_interpretation_t __default_interpret = kInterpretation;

  Fp8x4() = default;
  HIPAUDIT_HOST_DEVICE Fp8x4(float4 value)
      : __x(pack(Fp8x2<kInterpretation>(make_float2(value.x, value.y)),
                 Fp8x2<kInterpretation>(make_float2(value.z, value.w)))) {}
  HIPAUDIT_HOST_DEVICE Fp8x4(double4 value)
      : __x(pack(Fp8x2<kInterpretation>(make_double2(value.x, value.y)),
                 Fp8x2<kInterpretation>(make_double2(value.z, value.w)))) {}
  HIPAUDIT_HOST_DEVICE Fp8x4(__half2 low, __half2 high)
      : __x(pack(Fp8x2<kInterpretation>(low), Fp8x2<kInterpretation>(high))) {}
  HIPAUDIT_HOST_DEVICE Fp8x4(__hip_bfloat162 low, __hip_bfloat162 high)
      : __x(pack(Fp8x2<kInterpretation>(low), Fp8x2<kInterpretation>(high))) {}

  HIPAUDIT_HOST_DEVICE operator float4() const {
    return make_float4(decode_fp8(static_cast<__hip_fp8_storage_t>(__x), kInterpretation),
                       decode_fp8(static_cast<__hip_fp8_storage_t>(__x >> 8), kInterpretation),
                       decode_fp8(static_cast<__hip_fp8_storage_t>(__x >> 16), kInterpretation),
                       decode_fp8(static_cast<__hip_fp8_storage_t>(__x >> 24), kInterpretation));
  }

 private:
  HIPAUDIT_HOST_DEVICE static __hip_fp8x4_storage_t pack(Fp8x2<kInterpretation> low,
                                                         Fp8x2<kInterpretation> high) {
    return low.__x | static_cast<__hip_fp8x4_storage_t>(high.__x) << 16;
  }
};

}  // namespace hipaudit::detail

// Classes of their own, not aliases: their names are part of a kernel's mangled name.
#define HIPAUDIT_FP8(NAME, INTERPRETATION)                              \
  struct __hip_fp8_##NAME : hipaudit::detail::Fp8<INTERPRETATION> {     \
    using hipaudit::detail::Fp8<INTERPRETATION>::Fp8;                   \
  };                                                                    \
  struct __hip_fp8x2_##NAME : hipaudit::detail::Fp8x2<INTERPRETATION> { \
    using hipaudit::detail::Fp8x2<INTERPRETATION>::Fp8x2;               \
  };                                                                    \
  struct __hip_fp8x4_##NAME : hipaudit::detail::Fp8x4<INTERPRETATION> { \
    using hipaudit::detail::Fp8x4<INTERPRETATION>::Fp8x4;               \
  };
HIPAUDIT_FP8(e4m3, __HIP_E4M3)
HIPAUDIT_FP8(e5m2, __HIP_E5M2)
HIPAUDIT_FP8(e4m3_fnuz, __HIP_E4M3_FNUZ)
HIPAUDIT_FP8(e5m2_fnuz, __HIP_E5M2_FNUZ)
#undef HIPAUDIT_FP8
