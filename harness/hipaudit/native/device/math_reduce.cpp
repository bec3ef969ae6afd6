// Reduction of an angle to the first octant, in double-double. Up to 2^30 by Cody and Waite
// (Software Manual for the Elementary Functions, 1980) with pi/2 in three doubles; beyond by Payne
// and Hanek (SIGNUM Newsletter 18, 1983) with the 192 bits of 2/pi that can matter.
#include "math_internal.h"
#include "math_tables.h"

namespace hipaudit::math {
namespace {

constexpr double kCodyWaiteLimit = 0x1p30;

using Wide = unsigned __int128;

// 64 bits of 2/pi that begin at bit `start`, where 64 zero bits stand before the binary point.
uint64_t two_over_pi_word(int start) {
  int word = start / 64;
  int shift = start % 64;
  uint64_t high = word == 0 ? 0 : kTwoOverPiWords[word - 1];
  uint64_t low = kTwoOverPiWords[word];
  return shift == 0 ? high : (high << shift) | (low >> (64 - shift));
}

// A 190-bit fraction, held in three words, as a double-double in [0, 1).
Dd fraction_value(uint64_t high, uint64_t middle, uint64_t low) {
  Dd sum = {0.0, 0.0};
  double weight = 0x1p-30;
  const uint64_t words[] = {high, middle, low};
  for (uint64_t word : words) {
    sum = add(sum, static_cast<double>(word >> 32) * weight);
    sum = add(sum, static_cast<double>(word & 0xffffffffu) * (weight * 0x1p-32));
    weight *= 0x1p-64;
  }
  return sum;
}

// For x >= 2^30: m 2^e times 2/pi, modulo 4, keeping the product's low 192 bits.
Reduced payne_hanek(double x) {
  uint64_t bits = bits_of(x);
  uint64_t mantissa = (bits & ((1ull << 52) - 1)) | (1ull << 52);
  int start = static_cast<int>(bits >> 52) - 1075 - 2 + 64;
  uint64_t high = two_over_pi_word(start);
  uint64_t middle = two_over_pi_word(start + 64);
  uint64_t low = two_over_pi_word(start + 128);
  Wide product = Wide{mantissa} * low;
  uint64_t word0 = static_cast<uint64_t>(product);
  product = Wide{mantissa} * middle + static_cast<uint64_t>(product >> 64);
  uint64_t word1 = static_cast<uint64_t>(product);
  uint64_t word2 = mantissa * high + static_cast<uint64_t>(product >> 64);
  int quadrant = static_cast<int>(word2 >> 62);
  word2 &= (1ull << 62) - 1;
  bool above_half = (word2 >> 61) != 0;
  if (above_half) {  // 1 - fraction, and the next quadrant
    quadrant = (quadrant + 1) & 3;
    word2 = ~word2 & ((1ull << 62) - 1);
    word1 = ~word1;
    word0 = ~word0;
  }
  Dd r = multiply(fraction_value(word2, word1, word0), kHalfPi);
  return {above_half ? negate(r) : r, quadrant};
}

Reduced cody_waite(double x) {
  double k = nearest(x * 0x1.45f306dc9c883p-1);
  Dd first = two_product(k, kHalfPiParts[0]);
  Dd rest = two_sum(x - first.hi, -first.lo);
  rest = subtract(rest, two_product(k, kHalfPiParts[1]));
  rest = add(rest, -k * kHalfPiParts[2]);
  return {rest, static_cast<int>(static_cast<int64_t>(k) & 3)};
}

}  // namespace

Reduced reduce_half_pi(double x) {
  double size = magnitude(x);
  if (size <= 0x1.921fb54442d18p-1) return {{x, 0.0}, 0};
  Reduced a = size < kCodyWaiteLimit ? cody_waite(size) : payne_hanek(size);
  if (x < 0.0) return {negate(a.r), (4 - a.quadrant) & 3};
  return a;
}

Reduced reduce_pi_multiple(double x) {
  if (magnitude(x) >= 0x1p53) return {{0.0, 0.0}, 0};
  double doubled = nearest(2.0 * x);
  double rest = x - 0.5 * doubled;
  return {multiply(kPiDd, rest), static_cast<int>(static_cast<int64_t>(doubled) & 3)};
}

// For the kernels' inline sinf: r to 2^-52, and NaN for what is not finite. The layout is that of
// ReducedAngle in include/hipaudit/math_inline.h.
struct ReducedAngle {
  double rest;
  long long quadrant;
};

HIPAUDIT_MATH_EXPORT ReducedAngle hipaudit_reduce_half_pi(double x) {
  if (!is_finite(x)) return {kNaN, 0};
  Reduced a = reduce_half_pi(x);
  return {a.r.hi, a.quadrant};
}

}  // namespace hipaudit::math
