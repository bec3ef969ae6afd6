// Binary formats of up to 8 bits: a magnitude's code, rounded once, and back.
#pragma once

#include "../hip/host_defines.h"
#include "half_rounding.h"

namespace hipaudit::detail {

struct SmallFormat {
  int fraction_bits;
  int bias;
  unsigned int largest;   // code of the largest finite value
  unsigned int overflow;  // code of what lies beyond: infinity, NaN, or the largest once more
  bool unsigned_zero;
};

// The code of a finite |value|, rounded to nearest even; beyond `largest` when it overflows.
HIPAUDIT_HOST_DEVICE unsigned int small_magnitude(float size, SmallFormat format) {
  const unsigned int bits = bit_cast<unsigned int>(size);
  const int dropped = 23 - format.fraction_bits;
  const int smallest_exponent = 1 - format.bias;
  if (bits >> 23 < static_cast<unsigned int>(smallest_exponent + 127)) {
    // Beside this float the last place is that of the format's subnormals, so the sum rounds there.
    const unsigned int anchor = static_cast<unsigned int>(smallest_exponent + 127 + dropped) << 23;
    return bit_cast<unsigned int>(size + bit_cast<float>(anchor)) - anchor;
  }
  const unsigned int rounded = bits + (1u << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
  return (rounded >> dropped) -
         (static_cast<unsigned int>(127 - format.bias) << format.fraction_bits);
}

// The value of a finite code without its sign.
HIPAUDIT_HOST_DEVICE float small_value(unsigned int size, SmallFormat format) {
  if (size >> format.fraction_bits == 0) {
    const int exponent = 1 - format.bias - format.fraction_bits;
    return static_cast<float>(size) *
           bit_cast<float>(static_cast<unsigned int>(exponent + 127) << 23);
  }
  return bit_cast<float>((size << (23 - format.fraction_bits)) +
                         (static_cast<unsigned int>(127 - format.bias) << 23));
}

}  // namespace hipaudit::detail
