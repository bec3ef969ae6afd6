// The older bfloat16 class, hip_bfloat16: explicit from float, implicit to it.
#pragma once

#include "../hipaudit/bfloat_type.h"

struct hip_bfloat16 {
  unsigned short data;

  enum truncate_t { truncate };

  hip_bfloat16() = default;
  HIPAUDIT_HOST_DEVICE explicit hip_bfloat16(float value)
      : data(hipaudit::detail::bfloat_code(value)) {}
  HIPAUDIT_HOST_DEVICE explicit hip_bfloat16(float value, truncate_t)
      : data(truncated_code(value)) {}
  HIPAUDIT_HOST_DEVICE hip_bfloat16& operator=(const float& value) {
    data = hipaudit::detail::bfloat_code(value);
    return *this;
  }
  HIPAUDIT_HOST_DEVICE operator float() const { return hipaudit::detail::bfloat_value(data); }

  HIPAUDIT_HOST_DEVICE static hip_bfloat16 round_to_bfloat16(float value) {
    return hip_bfloat16(value);
  }
  HIPAUDIT_HOST_DEVICE static hip_bfloat16 round_to_bfloat16(float value, truncate_t) {
    return hip_bfloat16(value, truncate);
  }

 private:
  // The last bit keeps a NaN a NaN when its upper half alone would be infinity.
  HIPAUDIT_HOST_DEVICE static unsigned short truncated_code(float value) {
    const unsigned int bits = __builtin_bit_cast(unsigned int, value);
    return static_cast<unsigned short>((bits >> 16) | (value != value ? 1 : 0));
  }
};

#define HIPAUDIT_BFLOAT_OPERATOR(OP)                                                      \
  HIPAUDIT_HOST_DEVICE hip_bfloat16 operator OP(hip_bfloat16 a, hip_bfloat16 b) {         \
    return hip_bfloat16(static_cast<float>(a) OP static_cast<float>(b));                  \
  }                                                                                       \
  HIPAUDIT_HOST_DEVICE hip_bfloat16& operator OP## = (hip_bfloat16 & a, hip_bfloat16 b) { \
    return a = static_cast<float>(a) OP static_cast<float>(b);                            \
  }
HIPAUDIT_BFLOAT_OPERATOR(+)
HIPAUDIT_BFLOAT_OPERATOR(-)
HIPAUDIT_BFLOAT_OPERATOR(*)
HIPAUDIT_BFLOAT_OPERATOR(/)
#undef HIPAUDIT_BFLOAT_OPERATOR

#define HIPAUDIT_BFLOAT_COMPARISON(OP)                                    \
  HIPAUDIT_HOST_DEVICE bool operator OP(hip_bfloat16 a, hip_bfloat16 b) { \
    return static_cast<float>(a) OP static_cast<float>(b);                \
  }
HIPAUDIT_BFLOAT_COMPARISON(==)
HIPAUDIT_BFLOAT_COMPARISON(!=)
HIPAUDIT_BFLOAT_COMPARISON(<)
HIPAUDIT_BFLOAT_COMPARISON(>)
HIPAUDIT_BFLOAT_COMPARISON(<=)
HIPAUDIT_BFLOAT_COMPARISON(>=)
#undef HIPAUDIT_BFLOAT_COMPARISON

HIPAUDIT_HOST_DEVICE hip_bfloat16 operator+(hip_bfloat16 a) { return a; }
HIPAUDIT_HOST_DEVICE hip_bfloat16 operator-(hip_bfloat16 a) {
  a.data ^= 0x8000;
  return a;
}
HIPAUDIT_HOST_DEVICE hip_bfloat16& operator++(hip_bfloat16& a) {
  return a = static_cast<float>(a) + 1.0f;
}
HIPAUDIT_HOST_DEVICE hip_bfloat16& operator--(hip_bfloat16& a) {
  return a = static_cast<float>(a) - 1.0f;
}
HIPAUDIT_HOST_DEVICE hip_bfloat16 operator++(hip_bfloat16& a, int) {
  const hip_bfloat16 before = a;
  ++a;
  return before;
}
HIPAUDIT_HOST_DEVICE hip_bfloat16 operator--(hip_bfloat16& a, int) {
  const hip_bfloat16 before = a;
  --a;
  return before;
}

namespace std {

HIPAUDIT_HOST_DEVICE constexpr bool isinf(hip_bfloat16 a) { return (a.data & 0x7fff) == 0x7f80; }
HIPAUDIT_HOST_DEVICE constexpr bool isnan(hip_bfloat16 a) { return (a.data & 0x7fff) > 0x7f80; }
HIPAUDIT_HOST_DEVICE constexpr bool iszero(hip_bfloat16 a) { return (a.data & 0x7fff) == 0; }

}  // namespace std
