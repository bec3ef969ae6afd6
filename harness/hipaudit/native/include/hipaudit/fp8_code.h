// The four 8-bit formats: codes to float and back, each rounding once from float or double.
//
// e4m3 and e5m2 are the OCP formats (OCP 8-bit Floating Point Specification 1.0, 2023): e5m2 has
// infinities, e4m3 has not. The fnuz ones (Noune et al., arXiv:2206.02915) have neither infinities
// nor a negative zero: code 0x80 is their one NaN, and the bias is one higher.
#pragma once

#include "../hip/host_defines.h"
#include "small_float.h"

using __hip_fp8_storage_t = unsigned char;
using __hip_fp8x2_storage_t = unsigned short;
using __hip_fp8x4_storage_t = unsigned int;

enum __hip_fp8_interpretation_t {
  __HIP_E4M3 = 0,
  __HIP_E5M2 = 1,
  __HIP_E4M3_FNUZ = 2,
  __HIP_E5M2_FNUZ = 3,
};

// What becomes of a value beyond the largest finite one: infinity or NaN, or that largest one.
enum __hip_saturation_t {
  __HIP_NOSAT = 0,
  __HIP_SATFINITE = 1,
};

enum hipRoundMode {
  hipRoundNearest = 0,
  hipRoundZero = 1,
  hipRoundPosInf = 2,
  hipRoundMinInf = 3,
};

namespace hipaudit::detail {

HIPAUDIT_HOST_DEVICE constexpr SmallFormat fp8_format(__hip_fp8_interpretation_t interpretation) {
  switch (interpretation) {
    case __HIP_E4M3:
      return {3, 7, 0x7e, 0x7f, false};
    case __HIP_E5M2:
      return {2, 15, 0x7b, 0x7c, false};
    case __HIP_E4M3_FNUZ:
      return {3, 8, 0x7f, 0x80, true};
    case __HIP_E5M2_FNUZ:
      return {2, 16, 0x7f, 0x80, true};
  }
  __builtin_unreachable();
}

// NaN stays NaN and infinity stays infinity, or NaN where there is none, saturating or not: as the
// hardware's conversion does behind AMD's clamp of finite values.
HIPAUDIT_HOST_DEVICE __hip_fp8_storage_t encode_fp8(float value, __hip_saturation_t saturation,
                                                    __hip_fp8_interpretation_t interpretation) {
  const SmallFormat format = fp8_format(interpretation);
  const unsigned int sign = (bit_cast<unsigned int>(value) >> 24) & 0x80;
  const float size = __builtin_fabsf(value);
  if (value != value) {
    return static_cast<__hip_fp8_storage_t>(format.unsigned_zero ? 0x80 : sign | 0x7f);
  }
  unsigned int code = format.overflow;
  if (size < __builtin_inff()) {
    code = small_magnitude(size, format);
    if (code > format.largest) {
      code = saturation == __HIP_SATFINITE ? format.largest : format.overflow;
    }
  }
  if (format.unsigned_zero && code == 0) return 0;
  return static_cast<__hip_fp8_storage_t>(sign | code);
}

HIPAUDIT_HOST_DEVICE bool fp8_is_nan(__hip_fp8_storage_t code,
                                     __hip_fp8_interpretation_t interpretation) {
  const SmallFormat format = fp8_format(interpretation);
  if (format.unsigned_zero) return code == 0x80;
  return interpretation == __HIP_E4M3 ? (code & 0x7f) == 0x7f : (code & 0x7f) > 0x7c;
}

HIPAUDIT_HOST_DEVICE float decode_fp8(__hip_fp8_storage_t code,
                                      __hip_fp8_interpretation_t interpretation) {
  if (fp8_is_nan(code, interpretation)) return __builtin_nanf("");
  const SmallFormat format = fp8_format(interpretation);
  const unsigned int size = code & 0x7f;
  const unsigned int sign = static_cast<unsigned int>(code & 0x80) << 24;
  const bool infinite = interpretation == __HIP_E5M2 && size == 0x7c;
  const float value = infinite ? __builtin_inff() : small_value(size, format);
  return bit_cast<float>(bit_cast<unsigned int>(value) | sign);
}

}  // namespace hipaudit::detail
