// The 4- and 6-bit element formats of OCP Microscaling (MX v1.0): finite values only, so what lies
// beyond the largest becomes it, and NaN does too, as on AMD. Conversions round to nearest even
// whatever rounding is asked for, as AMD's do.
#pragma once

#include "../hip/hip_bf16.h"
#include "../hip/hip_fp16.h"
#include "fp8_code.h"

namespace hipaudit::detail {

// A format of kBits bits, packed kStride bits apart, low element first.
template <int kBitsValue, int kStrideValue, int kFractionBits, int kBias, typename One,
          typename Two, typename Four>
struct MxFormat {
  static constexpr int kBits = kBitsValue;
  static constexpr int kStride = kStrideValue;
  static constexpr unsigned int kLargest = (1u << (kBits - 1)) - 1;
  static constexpr SmallFormat kFormat = {kFractionBits, kBias, kLargest, kLargest, false};
  using Storage = One;
  using Storage2 = Two;
  using Storage4 = Four;

  HIPAUDIT_HOST_DEVICE static One encode(float value) {
    const float size = __builtin_fabsf(value);
    const unsigned int sign = bit_cast<unsigned int>(value) >> 31 << (kBits - 1);
    const unsigned int code = size < 64.0f ? small_magnitude(size, kFormat) : kLargest;
    return static_cast<One>(sign | (code < kLargest ? code : kLargest));
  }
  HIPAUDIT_HOST_DEVICE static float decode(unsigned int code) {
    const float size = small_value(code & kLargest, kFormat);
    return (code >> (kBits - 1) & 1) != 0 ? -size : size;
  }
  HIPAUDIT_HOST_DEVICE static Two encode2(float low, float high) {
    return static_cast<Two>(encode(low) | encode(high) << kStride);
  }
  HIPAUDIT_HOST_DEVICE static Four encode4(float a, float b, float c, float d) {
    return static_cast<Four>(static_cast<Four>(encode2(c, d)) << (2 * kStride) | encode2(a, b));
  }
};

using E2M1 = MxFormat<4, 4, 1, 1, unsigned char, unsigned char, unsigned short>;
using E2M3 = MxFormat<6, 8, 3, 1, unsigned char, unsigned short, unsigned int>;
using E3M2 = MxFormat<6, 8, 2, 3, unsigned char, unsigned short, unsigned int>;

template <typename Format>
struct Mx {
  typename Format::Storage __x;

  Mx() = default;
  HIPAUDIT_HOST_DEVICE explicit Mx(float value) : __x(Format::encode(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(double value) : Mx(narrow_to_odd(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(__half value) : Mx(widen(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(__hip_bfloat16 value) : Mx(widen(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(short value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(unsigned short value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(int value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(unsigned int value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(long value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(unsigned long value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(long long value) : Mx(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx(unsigned long long value) : Mx(static_cast<float>(value)) {}

  HIPAUDIT_HOST_DEVICE operator float() const { return Format::decode(__x); }
  HIPAUDIT_HOST_DEVICE operator double() const { return Format::decode(__x); }
  HIPAUDIT_HOST_DEVICE operator __half_raw() const {
    return __half_raw{static_cast<_Float16>(Format::decode(__x))};
  }
  HIPAUDIT_HOST_DEVICE operator __hip_bfloat16_raw() const {
    return __hip_bfloat16_raw{bfloat_code(Format::decode(__x))};
  }
};

template <typename Format>
struct Mx2 {
  typename Format::Storage2 __x;

  Mx2() = default;
  HIPAUDIT_HOST_DEVICE explicit Mx2(float2 value) : __x(Format::encode2(value.x, value.y)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx2(double2 value)
      : __x(Format::encode2(narrow_to_odd(value.x), narrow_to_odd(value.y))) {}
  HIPAUDIT_HOST_DEVICE explicit Mx2(__half2 value)
      : __x(Format::encode2(widen(value.x), widen(value.y))) {}
  HIPAUDIT_HOST_DEVICE explicit Mx2(__hip_bfloat162 value)
      : __x(Format::encode2(widen(value.x), widen(value.y))) {}

  HIPAUDIT_HOST_DEVICE operator float2() const {
    return make_float2(Format::decode(__x), Format::decode(__x >> Format::kStride));
  }
  HIPAUDIT_HOST_DEVICE operator double2() const {
    return make_double2(Format::decode(__x), Format::decode(__x >> Format::kStride));
  }
  HIPAUDIT_HOST_DEVICE operator __half2_raw() const {
    const float2 pair = *this;
    return __half2{narrow<__half>(pair.x), narrow<__half>(pair.y)};
  }
  HIPAUDIT_HOST_DEVICE operator __hip_bfloat162_raw() const {
    const float2 pair = *this;
    return __hip_bfloat162_raw{bfloat_code(pair.x), bfloat_code(pair.y)};
  }
};

template <typename Format>
struct Mx4 {
  typename Format::Storage4 __x;

  Mx4() = default;
  HIPAUDIT_HOST_DEVICE explicit Mx4(float4 value)
      : __x(Format::encode4(value.x, value.y, value.z, value.w)) {}
  HIPAUDIT_HOST_DEVICE explicit Mx4(double4 value)
      : __x(Format::encode4(narrow_to_odd(value.x), narrow_to_odd(value.y), narrow_to_odd(value.z),
                            narrow_to_odd(value.w))) {}
  HIPAUDIT_HOST_DEVICE explicit Mx4(__half2 low, __half2 high)
      : __x(Format::encode4(widen(low.x), widen(low.y), widen(high.x), widen(high.y))) {}
  HIPAUDIT_HOST_DEVICE explicit Mx4(__hip_bfloat162 low, __hip_bfloat162 high)
      : __x(Format::encode4(widen(low.x), widen(low.y), widen(high.x), widen(high.y))) {}

  HIPAUDIT_HOST_DEVICE operator float4() const {
    return make_float4(Format::decode(__x), Format::decode(__x >> Format::kStride),
                       Format::decode(__x >> (2 * Format::kStride)),
                       Format::decode(__x >> (3 * Format::kStride)));
  }
  HIPAUDIT_HOST_DEVICE operator double4() const {
    const float4 four = *this;
    return make_double4(four.x, four.y, four.z, four.w);
  }
};

}  // namespace hipaudit::detail

// The classes of a format. Not aliases: their names are part of a kernel's mangled name.
#define HIPAUDIT_MX_CLASSES(NAME, SUFFIX, FORMAT)                    \
  struct __hip_##NAME##_##SUFFIX : hipaudit::detail::Mx<FORMAT> {    \
    using hipaudit::detail::Mx<FORMAT>::Mx;                          \
  };                                                                 \
  struct __hip_##NAME##x2_##SUFFIX : hipaudit::detail::Mx2<FORMAT> { \
    using hipaudit::detail::Mx2<FORMAT>::Mx2;                        \
  };                                                                 \
  struct __hip_##NAME##x4_##SUFFIX : hipaudit::detail::Mx4<FORMAT> { \
    using hipaudit::detail::Mx4<FORMAT>::Mx4;                        \
  };
