// Rounding shared by the 16-bit formats.
//
// A value rounded *to odd* (truncated, and the last bit set when anything was lost) at two or more
// extra bits can be rounded to nearest afterwards and gives what one rounding would have given:
// Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
// rounding to odd", IEEE Trans. Computers 57(4), 2008.
#pragma once

#include "../hip/host_defines.h"

namespace hipaudit::detail {

template <typename To, typename From>
HIPAUDIT_HOST_DEVICE constexpr To bit_cast(From from) {
  return __builtin_bit_cast(To, from);
}

// A double or long double as the float rounded to odd; NaN and infinity pass through.
template <typename Wide>
HIPAUDIT_HOST_DEVICE float narrow_to_odd(Wide wide) {
  const float nearest = static_cast<float>(wide);
  const Wide back = nearest;
  if (!(back < wide || back > wide)) return nearest;
  unsigned int bits = bit_cast<unsigned int>(nearest);
  if ((wide > 0) == (back > wide)) --bits;
  return bit_cast<float>(bits | 1);
}

HIPAUDIT_HOST_DEVICE float narrow_to_odd(float exact) { return exact; }

// a + b rounded to odd. The error of the rounded sum is computed exactly (Knuth's TwoSum), so
// reassociation is off whatever the kernel's options say.
HIPAUDIT_HOST_DEVICE float add_to_odd(float a, float b) {
#pragma clang fp reassociate(off) contract(off)
  const float sum = a + b;
  const float b_part = sum - a;
  const float error = (a - (sum - b_part)) + (b - b_part);
  unsigned int bits = bit_cast<unsigned int>(sum);
  if ((error < 0 || error > 0) && (bits & 1) == 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
  return bit_cast<float>(bits);
}

HIPAUDIT_HOST_DEVICE double add_to_odd(double a, double b) {
#pragma clang fp reassociate(off) contract(off)
  const double sum = a + b;
  const double b_part = sum - a;
  const double error = (a - (sum - b_part)) + (b - b_part);
  unsigned long bits = bit_cast<unsigned long>(sum);
  if ((error < 0 || error > 0) && (bits & 1) == 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
  return bit_cast<double>(bits);
}

enum class Rounding { nearest, zero, down, up };

// An integral float from `value`, which must be a finite 16-bit number or a small enough float.
template <Rounding kRounding>
HIPAUDIT_HOST_DEVICE float to_integral(float value) {
  if constexpr (kRounding == Rounding::nearest) return __builtin_elementwise_roundeven(value);
  if constexpr (kRounding == Rounding::zero) return __builtin_elementwise_trunc(value);
  if constexpr (kRounding == Rounding::down) return __builtin_elementwise_floor(value);
  if constexpr (kRounding == Rounding::up) return __builtin_elementwise_ceil(value);
}

// The hardware's float-to-integer conversion: saturates, and NaN is 0.
template <typename Integer>
HIPAUDIT_HOST_DEVICE Integer saturate_to(float integral) {
  constexpr bool kSigned = static_cast<Integer>(-1) < static_cast<Integer>(0);
  constexpr int kBits = 8 * sizeof(Integer) - (kSigned ? 1 : 0);
  constexpr Integer kLargest = static_cast<Integer>(~0ull >> (64 - kBits));
  constexpr float kLimit = 2.0f * static_cast<float>(1ull << (kBits - 1));
  if (integral != integral) return 0;
  if (integral >= kLimit) return kLargest;
  if constexpr (kSigned) {
    if (integral < -kLimit) return static_cast<Integer>(-kLargest - 1);
  } else {
    if (integral <= 0) return 0;
  }
  return static_cast<Integer>(integral);
}

// `nearest` is `exact` rounded to nearest in a sign-and-magnitude 16-bit format, given as its code
// and as the float it stands for; the answer is the code that the directed rounding gives.
template <Rounding kRounding>
HIPAUDIT_HOST_DEVICE unsigned short redirect(unsigned short nearest, float nearest_value,
                                             float exact) {
  if constexpr (kRounding == Rounding::nearest) return nearest;
  const bool above = nearest_value > exact;
  const bool below = nearest_value < exact;
  const bool negative = exact < 0;
  bool down = above;
  bool up = below;
  if constexpr (kRounding == Rounding::zero) {
    down = above && !negative;
    up = below && negative;
  }
  if constexpr (kRounding == Rounding::down) up = false;
  if constexpr (kRounding == Rounding::up) down = false;
  if (up || down) nearest += (up != negative) ? 1 : -1;
  return nearest;
}

}  // namespace hipaudit::detail
