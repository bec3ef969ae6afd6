// E8M0, the scale of a Microscaling block (OCP MX v1.0): a power of two, 2^(code - 127), or NaN for
// code 0xff. There is no sign, no zero and no infinity; zero becomes the smallest, 2^-127.
#pragma once

#include "../hip/hip_bf16.h"
#include "../hip/hip_fp16.h"
#include "fp8_code.h"

namespace hipaudit::detail {

// Down to a power of two, or up for hipRoundPosInf, the one direction that AMD has besides. The
// sign is ignored. Beyond 2^127 comes NaN, or 2^127 when saturating; so does infinity.
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t encode_e8m0(float value, __hip_saturation_t saturation,
                                                     hipRoundMode rounding) {
  if (value != value) return 0xff;
  const unsigned int bits = bit_cast<unsigned int>(value) & 0x7fffffff;
  unsigned int code = bits >> 23;
  if (rounding == hipRoundPosInf) {
    // 2^-127 is half of the smallest normal float: a subnormal with its first bit set.
    const unsigned int power = code == 0 ? 0x400000 : code << 23;
    if (bits > power && code < 0xff) ++code;
  }
  if (code == 0xff && saturation == __HIP_SATFINITE) return 0xfe;
  return static_cast<__hip_fp8_storage_t>(code);
}

HIPAUDIT_HOST_DEVICE float decode_e8m0(__hip_fp8_storage_t code) {
  if (code == 0xff) return __builtin_nanf("");
  return bit_cast<float>(code == 0 ? 0x400000u : static_cast<unsigned int>(code) << 23);
}

}  // namespace hipaudit::detail

HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_float_to_e8m0(float value,
                                                                 __hip_saturation_t saturation,
                                                                 hipRoundMode rounding) {
  return hipaudit::detail::encode_e8m0(value, saturation, rounding);
}
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_double_to_e8m0(double value,
                                                                  __hip_saturation_t saturation,
                                                                  hipRoundMode rounding) {
  // Rounded to odd, a double keeps its power of two and that there was more; beyond the largest
  // float is infinity, as for a float.
  const bool beyond = __builtin_fabs(value) >= 0x1p128;
  return hipaudit::detail::encode_e8m0(
      beyond ? __builtin_inff() : hipaudit::detail::narrow_to_odd(value), saturation, rounding);
}
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t __hip_cvt_bfloat16raw_to_e8m0(
    __hip_bfloat16_raw value, __hip_saturation_t saturation, hipRoundMode rounding) {
  return hipaudit::detail::encode_e8m0(hipaudit::detail::bfloat_value(value.x), saturation,
                                       rounding);
}
HIPAUDIT_HOST_DEVICE __hip_bfloat16_raw __hip_cvt_e8m0_to_bf16raw(__hip_fp8_storage_t code) {
  return __hip_bfloat16_raw{hipaudit::detail::bfloat_code(hipaudit::detail::decode_e8m0(code))};
}

struct __hip_fp8_e8m0 {
  __hip_fp8_storage_t __x;

  __hip_fp8_e8m0() = default;
  HIPAUDIT_HOST_DEVICE explicit __hip_fp8_e8m0(float value)
      : __x(__hip_cvt_float_to_e8m0(value, __HIP_SATFINITE, hipRoundPosInf)) {}
  HIPAUDIT_HOST_DEVICE explicit __hip_fp8_e8m0(double value)
      : __x(__hip_cvt_double_to_e8m0(value, __HIP_SATFINITE, hipRoundPosInf)) {}
  HIPAUDIT_HOST_DEVICE explicit __hip_fp8_e8m0(__half value)
      : __hip_fp8_e8m0(hipaudit::detail::widen(value)) {}
  HIPAUDIT_HOST_DEVICE explicit __hip_fp8_e8m0(__hip_bfloat16 value)
      : __hip_fp8_e8m0(hipaudit::detail::widen(value)) {}
  // Through double: rounding an integer to float first could reach the next power of two.
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0>
  HIPAUDIT_HOST_DEVICE explicit __hip_fp8_e8m0(T value)
      : __hip_fp8_e8m0(static_cast<double>(value)) {}

  HIPAUDIT_HOST_DEVICE explicit operator float() const {
    return hipaudit::detail::decode_e8m0(__x);
  }
  HIPAUDIT_HOST_DEVICE explicit operator double() const {
    return hipaudit::detail::decode_e8m0(__x);
  }
  HIPAUDIT_HOST_DEVICE explicit operator __half() const {
    return hipaudit::detail::narrow<__half>(hipaudit::detail::decode_e8m0(__x));
  }
  HIPAUDIT_HOST_DEVICE explicit operator __hip_bfloat16() const {
    return __hip_bfloat16(__hip_cvt_e8m0_to_bf16raw(__x));
  }
  // No code is zero.
  HIPAUDIT_HOST_DEVICE explicit operator bool() const { return true; }
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T) && !__is_same(T, bool)> = 0>
  HIPAUDIT_HOST_DEVICE explicit operator T() const {
    return hipaudit::detail::saturate_to<T>(
        hipaudit::detail::to_integral<hipaudit::detail::Rounding::zero>(
            hipaudit::detail::decode_e8m0(__x)));
  }
};
