// __half and __half2: IEEE binary16, each operation rounded once to nearest even.
//
// x86-64-v3 has conversions (F16C) but no binary16 arithmetic: an operation is done in float and
// rounded back. For + - * / and sqrt that equals one rounding, since 24 >= 2 * 11 + 2 bits
// (Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995).
#pragma once

#include "../hip/host_defines.h"
#include "half_rounding.h"

using _Float16_2 = _Float16 __attribute__((ext_vector_type(2)));

struct __half_raw {
  union {
    _Float16 data;
    unsigned short x;
  };
};

struct __half2_raw {
  union {
    struct {
      __half_raw x;
      __half_raw y;
    };
    _Float16_2 data;
  };
};

namespace hipaudit::detail {

// Any number rounded once. clang's own double-to-binary16 conversion is a library call.
template <typename T>
HIPAUDIT_HOST_DEVICE _Float16 to_float16(T value) {
  // Integers of more than 24 bits are beyond the largest finite binary16 in any case.
  if constexpr (__is_integral(T) || sizeof(T) <= sizeof(float)) {
    return static_cast<_Float16>(static_cast<float>(value));
  } else {
    return static_cast<_Float16>(narrow_to_odd(value));
  }
}

}  // namespace hipaudit::detail

struct __half;

namespace hipaudit::detail {

// Bit casts, not constructors and conversions: those are templates, slow to resolve.
HIPAUDIT_HOST_DEVICE float widen(const __half& value);
template <typename Half>
__host__ __device__ Half narrow(float value);
template <>
HIPAUDIT_HOST_DEVICE __half narrow<__half>(float value);

}  // namespace hipaudit::detail

// The members, and what is explicit or a template, are AMD's, so that overloads resolve alike.
struct __half {
 protected:
  union {
    _Float16 data;
    unsigned short __x;
  };

 public:
  __half() = default;
  __half(const __half&) = default;
  __half(__half&&) = default;
  ~__half() = default;
  __half& operator=(const __half&) = default;
  __half& operator=(__half&&) = default;

  HIPAUDIT_HOST_DEVICE constexpr __half(const __half_raw& raw) : __x{raw.x} {}
  HIPAUDIT_HOST_DEVICE __half& operator=(const __half_raw& raw) {
    data = raw.data;
    return *this;
  }
  HIPAUDIT_HOST_DEVICE volatile __half& operator=(const __half_raw& raw) volatile {
    data = raw.data;
    return *this;
  }
  HIPAUDIT_HOST_DEVICE operator __half_raw() const { return __half_raw{data}; }
  HIPAUDIT_HOST_DEVICE operator __half_raw() const volatile { return __half_raw{data}; }

#if !defined(__HIP_NO_HALF_CONVERSIONS__)
  HIPAUDIT_HOST_DEVICE __half(_Float16 value) : data{value} {}
  template <typename T, hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T>> = 0>
  HIPAUDIT_HOST_DEVICE __half(T value) : data{hipaudit::detail::to_float16(value)} {}
  template <typename T, hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T>> = 0>
  HIPAUDIT_HOST_DEVICE __half& operator=(T value) {
    data = hipaudit::detail::to_float16(value);
    return *this;
  }
  template <typename T, hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T>> = 0>
  HIPAUDIT_HOST_DEVICE operator T() const {
    return static_cast<T>(static_cast<float>(data));
  }
#endif

#if !defined(__HIP_NO_HALF_OPERATORS__)
#define HALF __half
#include "half_operators.inc"
#undef HALF
#endif
};

struct __half2 {
  union {
    struct {
      __half x;
      __half y;
    };
    _Float16_2 data;
  };

  __half2() = default;
  __half2(const __half2&) = default;
  __half2(__half2&&) = default;
  ~__half2() = default;
  __half2& operator=(const __half2&) = default;
  __half2& operator=(__half2&&) = default;

  HIPAUDIT_HOST_DEVICE constexpr __half2(const __half& low, const __half& high) : x(low), y(high) {}
  HIPAUDIT_HOST_DEVICE __half2(_Float16_2 pair) : data{pair} {}
  HIPAUDIT_HOST_DEVICE __half2(const __half2_raw& raw) : data{raw.data} {}
  HIPAUDIT_HOST_DEVICE __half2& operator=(const __half2_raw& raw) {
    data = raw.data;
    return *this;
  }
  HIPAUDIT_HOST_DEVICE operator _Float16_2() const { return data; }
  HIPAUDIT_HOST_DEVICE operator __half2_raw() const {
    __half2_raw raw;
    raw.data = data;
    return raw;
  }

#if !defined(__HIP_NO_HALF_OPERATORS__)
#define HALF __half
#define HALF2 __half2
#include "half_pair_operators.inc"
#undef HALF
#undef HALF2
#endif
};

namespace hipaudit::detail {

HIPAUDIT_HOST_DEVICE float widen(const __half& value) {
  return static_cast<float>(__builtin_bit_cast(_Float16, value));
}

template <>
HIPAUDIT_HOST_DEVICE __half narrow<__half>(float value) {
  return __builtin_bit_cast(__half, static_cast<_Float16>(value));
}

// The product of two binary16 numbers is exact in float.
HIPAUDIT_HOST_DEVICE __half fma_rounded_once(const __half& a, const __half& b, const __half& c) {
  return narrow<__half>(add_to_odd(widen(a) * widen(b), widen(c)));
}

}  // namespace hipaudit::detail
