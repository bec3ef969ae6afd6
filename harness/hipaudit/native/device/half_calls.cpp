// Conversions that clang calls by name for types narrower than the processor's own.
#include "half_calls.h"

#include <bit>
#include <cstdint>

namespace {

// Rounds to nearest even to a format of `mantissa` bits whose smallest normal exponent is `low` and
// largest is `high`; the code has exponent and mantissa only.
uint16_t narrow(double value, int mantissa, int low, int high) {
  uint64_t bits = std::bit_cast<uint64_t>(value);
  auto sign = static_cast<uint16_t>(bits >> 63 << 15);
  int biased = static_cast<int>(bits >> 52 & 0x7ff);
  uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
  auto infinity = static_cast<uint16_t>((high - low + 2) << mantissa);
  if (biased == 0x7ff)
    return static_cast<uint16_t>(sign | infinity | (fraction != 0 ? 1u << (mantissa - 1) : 0u));
  int exponent = biased - 1023;
  if (biased == 0 || exponent < low - mantissa - 1) return sign;
  uint64_t significand = fraction | uint64_t{1} << 52;
  int shift = 52 - mantissa + (exponent < low ? low - exponent : 0);
  uint64_t kept = significand >> shift;
  uint64_t rest = significand & ((uint64_t{1} << shift) - 1);
  uint64_t half = uint64_t{1} << (shift - 1);
  if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  // A carry out of the mantissa raises the exponent by itself.
  uint64_t code =
      exponent < low ? kept : (static_cast<uint64_t>(exponent - low) << mantissa) + kept;
  return static_cast<uint16_t>(sign | (code >= infinity ? infinity : code));
}

}  // namespace

// bfloat16 and half travel in the low 16 bits of a vector register, as _Float16 does.
_Float16 hipaudit_truncate_to_bfloat(double value) {
  return std::bit_cast<_Float16>(narrow(value, 7, -126, 127));
}
_Float16 hipaudit_truncate_float_to_bfloat(float value) {
  return hipaudit_truncate_to_bfloat(static_cast<double>(value));
}
_Float16 hipaudit_truncate_to_half(double value) {
  return std::bit_cast<_Float16>(narrow(value, 10, -14, 15));
}
