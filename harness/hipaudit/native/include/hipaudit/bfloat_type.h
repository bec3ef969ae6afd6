// __hip_bfloat16 and __hip_bfloat162: the upper half of a float, each operation rounded once to
// nearest even; a NaN keeps its sign and payload and is made quiet.
//
// Arithmetic is float arithmetic rounded back, which equals one rounding (24 >= 2 * 8 + 2 bits).
// That holds for subnormal results too: the exponent range is float's, and a float subnormal still
// has 16 bits more than a bfloat16 one, as many as an exact product has.
#pragma once

#include "../hip/hip_vector_types.h"
#include "half_rounding.h"

using __bf16_2 = __bf16 __attribute__((ext_vector_type(2)));

struct __hip_bfloat16_raw {
  unsigned short x;
};

struct alignas(4) __hip_bfloat162_raw {
  unsigned short x;
  unsigned short y;
};

struct __hip_bfloat16;

namespace hipaudit::detail {

// clang's own conversion from float to __bf16 is a library call on x86.
HIPAUDIT_HOST_DEVICE unsigned short bfloat_code(float value) {
  const unsigned int bits = __builtin_bit_cast(unsigned int, value);
  if (value != value) return static_cast<unsigned short>((bits >> 16) | 0x40);
  return static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

HIPAUDIT_HOST_DEVICE float bfloat_value(unsigned short code) {
  return __builtin_bit_cast(float, static_cast<unsigned int>(code) << 16);
}

HIPAUDIT_HOST_DEVICE float widen(const __hip_bfloat16& value);
template <typename Half>
__host__ __device__ Half narrow(float value);
template <>
HIPAUDIT_HOST_DEVICE __hip_bfloat16 narrow<__hip_bfloat16>(float value);

}  // namespace hipaudit::detail

// The members, and what is explicit or missing, are AMD's, so that overloads resolve alike.
struct alignas(2) __hip_bfloat16 {
 protected:
  union {
    unsigned short __x;
    __bf16 __x_bf16;
  };

 public:
  __hip_bfloat16() = default;

  HIPAUDIT_HOST_DEVICE constexpr __hip_bfloat16(const __hip_bfloat16_raw& raw) : __x(raw.x) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(__bf16 value) : __x_bf16(value) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(float value) : __x(hipaudit::detail::bfloat_code(value)) {}
  // Through double: an int has more digits than a float.
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(double value)
      : __x(hipaudit::detail::bfloat_code(hipaudit::detail::narrow_to_odd(value))) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(int value) : __hip_bfloat16(static_cast<double>(value)) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(unsigned int value)
      : __hip_bfloat16(static_cast<double>(value)) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(short value) : __hip_bfloat16(static_cast<float>(value)) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat16(unsigned short value)
      : __hip_bfloat16(static_cast<float>(value)) {}

#define HIPAUDIT_BFLOAT_FROM(T) \
  HIPAUDIT_HOST_DEVICE __hip_bfloat16& operator=(T value) { return *this = __hip_bfloat16(value); }
  HIPAUDIT_BFLOAT_FROM(float)
  HIPAUDIT_BFLOAT_FROM(double)
  HIPAUDIT_BFLOAT_FROM(int)
  HIPAUDIT_BFLOAT_FROM(unsigned int)
  HIPAUDIT_BFLOAT_FROM(short)
  HIPAUDIT_BFLOAT_FROM(unsigned short)
#undef HIPAUDIT_BFLOAT_FROM
  HIPAUDIT_HOST_DEVICE __hip_bfloat16& operator=(const __hip_bfloat16_raw& raw) {
    __x = raw.x;
    return *this;
  }
  HIPAUDIT_HOST_DEVICE volatile __hip_bfloat16& operator=(const __hip_bfloat16_raw& raw) volatile {
    __x = raw.x;
    return *this;
  }

  HIPAUDIT_HOST_DEVICE operator __hip_bfloat16_raw() const { return __hip_bfloat16_raw{__x}; }
  HIPAUDIT_HOST_DEVICE operator __hip_bfloat16_raw() const volatile {
    return __hip_bfloat16_raw{__x};
  }
  HIPAUDIT_HOST_DEVICE operator __bf16() const { return __x_bf16; }
  HIPAUDIT_HOST_DEVICE operator float() const { return hipaudit::detail::bfloat_value(__x); }
  HIPAUDIT_HOST_DEVICE operator bool() const { return (__x & 0x7fff) != 0; }
#define HIPAUDIT_BFLOAT_TO(T)                                   \
  HIPAUDIT_HOST_DEVICE operator T() const {                     \
    return static_cast<T>(hipaudit::detail::bfloat_value(__x)); \
  }
  HIPAUDIT_BFLOAT_TO(char)
  HIPAUDIT_BFLOAT_TO(signed char)
  HIPAUDIT_BFLOAT_TO(unsigned char)
  HIPAUDIT_BFLOAT_TO(short)
  HIPAUDIT_BFLOAT_TO(unsigned short)
  HIPAUDIT_BFLOAT_TO(int)
  HIPAUDIT_BFLOAT_TO(unsigned int)
  HIPAUDIT_BFLOAT_TO(long)
  HIPAUDIT_BFLOAT_TO(unsigned long)
  HIPAUDIT_BFLOAT_TO(long long)
  HIPAUDIT_BFLOAT_TO(unsigned long long)
#undef HIPAUDIT_BFLOAT_TO

#define HALF __hip_bfloat16
#include "half_operators.inc"
#undef HALF
};

namespace hipaudit::detail {

HIPAUDIT_HOST_DEVICE float widen(const __hip_bfloat16& value) {
  return bfloat_value(__builtin_bit_cast(unsigned short, value));
}

template <>
HIPAUDIT_HOST_DEVICE __hip_bfloat16 narrow<__hip_bfloat16>(float value) {
  return __builtin_bit_cast(__hip_bfloat16, bfloat_code(value));
}

// In double, where the product of two floats is exact and cannot overflow.
HIPAUDIT_HOST_DEVICE __hip_bfloat16 fma_rounded_once(const __hip_bfloat16& a,
                                                     const __hip_bfloat16& b,
                                                     const __hip_bfloat16& c) {
  const double product = static_cast<double>(widen(a)) * static_cast<double>(widen(b));
  return narrow<__hip_bfloat16>(narrow_to_odd(add_to_odd(product, static_cast<double>(widen(c)))));
}

}  // namespace hipaudit::detail

struct alignas(4) __hip_bfloat162 {
  union {
    struct {
      __hip_bfloat16 x;
      __hip_bfloat16 y;
    };
    __bf16_2 __xy_bf162;
  };

  __hip_bfloat162() = default;

  HIPAUDIT_HOST_DEVICE constexpr __hip_bfloat162(const __hip_bfloat16& low,
                                                 const __hip_bfloat16& high)
      : x(low), y(high) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat162(__bf16_2 pair) : __xy_bf162(pair) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat162(const __hip_bfloat162_raw& raw)
      : x(__hip_bfloat16_raw{raw.x}), y(__hip_bfloat16_raw{raw.y}) {}
  HIPAUDIT_HOST_DEVICE __hip_bfloat162& operator=(const __hip_bfloat162_raw& raw) {
    return *this = __hip_bfloat162(raw);
  }
  HIPAUDIT_HOST_DEVICE __hip_bfloat162& operator=(__bf16_2 pair) {
    __xy_bf162 = pair;
    return *this;
  }
  HIPAUDIT_HOST_DEVICE operator __hip_bfloat162_raw() const {
    return __builtin_bit_cast(__hip_bfloat162_raw, *this);
  }
  HIPAUDIT_HOST_DEVICE operator __bf16_2() const { return __xy_bf162; }
  HIPAUDIT_HOST_DEVICE operator float2() const {
    return make_float2(hipaudit::detail::widen(x), hipaudit::detail::widen(y));
  }

#define HALF __hip_bfloat16
#define HALF2 __hip_bfloat162
#include "half_pair_operators.inc"
#undef HALF
#undef HALF2
};
