// Floats of 4 to 8 bits, from their codes to float32, exactly.
//
// Formula   sign, exponent e, mantissa m, bias 2^(exponent bits - 1) - 1:
//           e > 0: (1 + m / 2^M) 2^(e - bias); e = 0: m 2^(1 - bias - M)
// Policy    no operation has a subnormal operand: the decoding is right on a device that flushes.
// Source    OCP Microscaling Formats (MX) 1.0, section 5.3.
#pragma once

#include <hip/hip_runtime.h>

namespace small_floats {

// 2^exponent for exponents from -149 on; subnormal ones by their bits.
__device__ inline float power_of_two(int exponent) {
  const int bits = exponent > -127 ? (exponent + 127) << 23 : 1 << (exponent + 149);
  return __int_as_float(bits);
}

// A value >= 0 with the sign that a code has above so many bits of magnitude.
template <int kMagnitudeBits>
__device__ float with_sign_of(int code, float value) {
  const int sign = code >> kMagnitudeBits & 1;
  return __int_as_float(__float_as_int(value) | sign << 31);
}

// A code of 1 + kExponentBits + kMantissaBits bits, in a format without infinities or NaN.
template <int kExponentBits, int kMantissaBits>
__device__ float decode(int code) {
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr int kMagnitude = (1 << (kExponentBits + kMantissaBits)) - 1;
  constexpr float kSmallest = 1.0f / (1 << (kBias - 1 + kMantissaBits));
  const int magnitude = code & kMagnitude;
  const float normal = __int_as_float((magnitude << (23 - kMantissaBits)) + ((127 - kBias) << 23));
  const float subnormal = static_cast<float>(magnitude) * kSmallest;
  const float value = magnitude >> kMantissaBits == 0 ? subnormal : normal;
  return with_sign_of<kExponentBits + kMantissaBits>(code, value);
}

struct E2M1 {
  static constexpr int kBits = 4;
  static __device__ float value(int code) { return decode<2, 1>(code); }
};

struct E2M3 {
  static constexpr int kBits = 6;
  static __device__ float value(int code) { return decode<2, 3>(code); }
};

struct E3M2 {
  static constexpr int kBits = 6;
  static __device__ float value(int code) { return decode<3, 2>(code); }
};

// The finite form (e4m3fn): the largest magnitude is NaN, there is no infinity.
struct E4M3 {
  static constexpr int kBits = 8;
  static __device__ float value(int code) {
    return (code & 0x7f) == 0x7f ? __builtin_nanf("") : decode<4, 3>(code);
  }
};

// The IEEE form: the largest exponent is infinity or NaN.
struct E5M2 {
  static constexpr int kBits = 8;
  static __device__ float value(int code) {
    const int magnitude = code & 0x7f;
    const float special = magnitude == 0x7c ? __builtin_huge_valf() : __builtin_nanf("");
    const float finite = decode<5, 2>(magnitude);
    const float value = magnitude < 0x7c ? finite : special;
    return with_sign_of<7>(code, value);
  }
};

}  // namespace small_floats
