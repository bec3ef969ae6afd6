// clang's amdgcn builtins that only compute, as device functions: this clang compiles for x86-64
// and does not know them. Semantics: AMD's instruction set guides (MI300, RDNA3), section
// "Instructions". Results that the hardware approximates to 1 ulp are correctly rounded or nearly
// so here.
#pragma once

#include "math_basic.h"
#include "math_compare.h"
#include "math_float.h"
#include "math_integer.h"

HIPAUDIT_EXACT_BEGIN

namespace hipaudit::math {
using Half2 = _Float16 __attribute__((ext_vector_type(2)));
using PackedHalf = __fp16 __attribute__((ext_vector_type(2)));
using Short2 = short __attribute__((ext_vector_type(2)));
using UShort2 = unsigned short __attribute__((ext_vector_type(2)));

HIPAUDIT_DEVICE unsigned byte_of(unsigned x, int i) { return (x >> (8 * i)) & 0xffu; }
HIPAUDIT_DEVICE int signed_field(unsigned x, int start, int width) {
  return static_cast<int>(x << (32 - start - width)) >> (32 - width);
}
HIPAUDIT_DEVICE unsigned distance(unsigned a, unsigned b) { return a > b ? a - b : b - a; }

// What the clamp bit of the integer dot products does to a sum held in 64 bits.
HIPAUDIT_DEVICE int clamped(long long sum, bool clamp) {
  if (clamp && sum > 0x7fffffffll) return 0x7fffffff;
  if (clamp && sum < -0x80000000ll) return -0x7fffffff - 1;
  return static_cast<int>(static_cast<unsigned>(sum));
}
HIPAUDIT_DEVICE unsigned clamped_unsigned(unsigned long long sum, bool clamp) {
  return clamp && sum > 0xffffffffull ? 0xffffffffu : static_cast<unsigned>(sum);
}

// The sum of the products of `kWidth`-bit fields, signed or not, and c.
template <int kWidth, bool kSignedA, bool kSignedB>
HIPAUDIT_DEVICE long long dot_fields(unsigned a, unsigned b) {
  long long sum = 0;
  constexpr unsigned kMask = (1u << kWidth) - 1u;
  for (int i = 0; i < 32; i += kWidth) {
    const int x = kSignedA ? signed_field(a, i, kWidth) : static_cast<int>((a >> i) & kMask);
    const int y = kSignedB ? signed_field(b, i, kWidth) : static_cast<int>((b >> i) & kMask);
    sum += static_cast<long long>(x) * y;
  }
  return sum;
}

// v_sin and v_cos take turns, not radians.
HIPAUDIT_DEVICE float sin_turns(float x) {
  const ReducedAngle a = reduce_turn(2.0f * (x - __builtin_elementwise_trunc(x)));
  return static_cast<float>(sin_turned(a.rest, a.quadrant));
}
HIPAUDIT_DEVICE float cos_turns(float x) {
  const ReducedAngle a = reduce_turn(2.0f * (x - __builtin_elementwise_trunc(x)));
  return static_cast<float>(sin_turned(a.rest, a.quadrant + 1));
}

// x - floor(x), below 1 even where that difference rounds to 1.
template <typename T>
HIPAUDIT_DEVICE T fraction(T x, T below_one) {
  if (!is_finite(x)) return is_nan(x) ? x : T{0};
  return lower(x - __builtin_elementwise_floor(x), below_one);
}

// v_frexp_mant: the mantissa in [0.5, 1) with x's sign; what is not finite, and 0, as it is.
HIPAUDIT_DEVICE double frexp_mantissa(double x) {
  if (x == 0.0 || !is_finite(x)) return x;
  return hipaudit_ldexp(x, -exponent_of(x) - 1);
}
HIPAUDIT_DEVICE int frexp_exponent(double x) {
  return x == 0.0 || !is_finite(x) ? 0 : exponent_of(x) + 1;
}

// To half, towards zero.
HIPAUDIT_DEVICE unsigned short half_towards_zero(float x) {
  const _Float16 nearest = static_cast<_Float16>(x);
  const unsigned short bits = __builtin_bit_cast(unsigned short, nearest);
  const bool past = is_finite(x) && magnitude(static_cast<float>(nearest)) > magnitude(x);
  return static_cast<unsigned short>(past ? bits - 1 : bits);
}

// v_cmp_class: which of ten classes x is in, as a bit of the mask.
template <typename T>
HIPAUDIT_DEVICE bool in_class(T x, int mask, T smallest_normal, unsigned quiet_shift) {
  const bool negative = is_negative(x);
  int bit;
  if (is_nan(x))
    bit = static_cast<int>((bits_of(x) >> quiet_shift) & 1u);
  else if (is_infinite(x))
    bit = negative ? 2 : 9;
  else if (x == 0)
    bit = negative ? 5 : 6;
  else if (magnitude(x) < smallest_normal)
    bit = negative ? 4 : 7;
  else
    bit = negative ? 3 : 8;
  return ((mask >> bit) & 1) != 0;
}
}  // namespace hipaudit::math

#define HIPAUDIT_APPROXIMATE(NAME, TYPE, VALUE, ID)                \
  HIPAUDIT_DEVICE TYPE __builtin_amdgcn_##NAME(TYPE x) {           \
    return hipaudit::math_result(VALUE, hipaudit::FunctionId::ID); \
  }

HIPAUDIT_APPROXIMATE(rcpf, float, 1.0f / x, fast_rcpf)
HIPAUDIT_APPROXIMATE(rcp, double, 1.0 / x, fast_rcp)
HIPAUDIT_APPROXIMATE(rsqf, float, hipaudit::math::rsqrt_float(x), fast_rsqf)
HIPAUDIT_APPROXIMATE(rsq, double, hipaudit_rsqrt(x), fast_rsq)
HIPAUDIT_APPROXIMATE(sqrtf, float, __builtin_elementwise_sqrt(x), fast_sqrtf)
HIPAUDIT_APPROXIMATE(sqrt, double, __builtin_elementwise_sqrt(x), fast_sqrt)
HIPAUDIT_APPROXIMATE(exp2f, float, hipaudit::math::exp2_float(x), fast_exp2f)
HIPAUDIT_APPROXIMATE(logf, float, hipaudit::math::log2_float(x), fast_log2f)
HIPAUDIT_APPROXIMATE(sinf, float, hipaudit::math::sin_turns(x), fast_sin_turnsf)
HIPAUDIT_APPROXIMATE(cosf, float, hipaudit::math::cos_turns(x), fast_cos_turnsf)
#undef HIPAUDIT_APPROXIMATE

HIPAUDIT_DEVICE float __builtin_amdgcn_fractf(float x) {
  return hipaudit::math::fraction(x, 0x1.fffffep-1f);
}
HIPAUDIT_DEVICE double __builtin_amdgcn_fract(double x) {
  return hipaudit::math::fraction(x, 0x1.fffffffffffffp-1);
}
HIPAUDIT_DEVICE float __builtin_amdgcn_ldexpf(float x, int n) { return ldexpf(x, n); }
HIPAUDIT_DEVICE double __builtin_amdgcn_ldexp(double x, int n) { return hipaudit_ldexp(x, n); }
HIPAUDIT_DEVICE float __builtin_amdgcn_frexp_mantf(float x) {
  return static_cast<float>(hipaudit::math::frexp_mantissa(static_cast<double>(x)));
}
HIPAUDIT_DEVICE double __builtin_amdgcn_frexp_mant(double x) {
  return hipaudit::math::frexp_mantissa(x);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_frexp_expf(float x) {
  return hipaudit::math::frexp_exponent(static_cast<double>(x));
}
HIPAUDIT_DEVICE int __builtin_amdgcn_frexp_exp(double x) {
  return hipaudit::math::frexp_exponent(x);
}
HIPAUDIT_DEVICE bool __builtin_amdgcn_classf(float x, int mask) {
  return hipaudit::math::in_class(x, mask, 0x1p-126f, 22);
}
HIPAUDIT_DEVICE bool __builtin_amdgcn_class(double x, int mask) {
  return hipaudit::math::in_class(x, mask, 0x1p-1022, 51);
}
// The middle one; with a NaN among them, the smallest.
HIPAUDIT_DEVICE float __builtin_amdgcn_fmed3f(float x, float y, float z) {
  const float low = fminf(fminf(x, y), z);
  if (isnan(x) || isnan(y) || isnan(z)) return low;
  return fmaxf(fminf(x, y), fminf(fmaxf(x, y), z));
}
HIPAUDIT_DEVICE _Float16 __builtin_amdgcn_fmed3h(_Float16 x, _Float16 y, _Float16 z) {
  return static_cast<_Float16>(
      __builtin_amdgcn_fmed3f(static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)));
}
// 0 times anything is 0.
HIPAUDIT_DEVICE float __builtin_amdgcn_fmul_legacy(float x, float y) {
  return x == 0.0f || y == 0.0f ? 0.0f : x * y;
}

HIPAUDIT_DEVICE unsigned __builtin_amdgcn_ubfe(unsigned x, unsigned start, unsigned width) {
  return __bitextract_u32(x, start, width);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_sbfe(int x, unsigned start, unsigned width) {
  const int at = static_cast<int>(start & 31u), count = static_cast<int>(width & 31u);
  if (count == 0) return 0;
  if (at + count > 32) return x >> at;
  return hipaudit::math::signed_field(static_cast<unsigned>(x), at, count);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_alignbit(unsigned high, unsigned low, unsigned shift) {
  return __builtin_elementwise_fshr(high, low, shift & 31u);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_alignbyte(unsigned high, unsigned low, unsigned shift) {
  return __builtin_elementwise_fshr(high, low, (shift & 3u) * 8u);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_mul_u24(unsigned x, unsigned y) { return __umul24(x, y); }
HIPAUDIT_DEVICE int __builtin_amdgcn_mul_i24(int x, int y) { return __mul24(x, y); }

// Each byte of the selector: 0 to 7 a byte of high:low, 8 to 11 a sign spread, 12 zeros, above
// ones.
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_perm(unsigned high, unsigned low, unsigned selector) {
  const unsigned long long bytes = (static_cast<unsigned long long>(high) << 32) | low;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned which = hipaudit::math::byte_of(selector, i);
    unsigned byte = which == 12 ? 0u : 0xffu;
    if (which < 8) byte = static_cast<unsigned>(bytes >> (8 * which)) & 0xffu;
    if (which >= 8 && which < 12)
      byte = ((bytes >> (16 * (which - 8) + 15)) & 1u) != 0 ? 0xffu : 0u;
    result |= byte << (8 * i);
  }
  return result;
}

HIPAUDIT_DEVICE unsigned __builtin_amdgcn_sad_u8(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; ++i)
    c += hipaudit::math::distance(hipaudit::math::byte_of(a, i), hipaudit::math::byte_of(b, i));
  return c;
}
// Bytes where b is 0 do not count.
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_msad_u8(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; ++i) {
    const unsigned y = hipaudit::math::byte_of(b, i);
    if (y != 0) c += hipaudit::math::distance(hipaudit::math::byte_of(a, i), y);
  }
  return c;
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_sad_hi_u8(unsigned a, unsigned b, unsigned c) {
  return (__builtin_amdgcn_sad_u8(a, b, 0) << 16) + c;
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_sad_u16(unsigned a, unsigned b, unsigned c) {
  return c + hipaudit::math::distance(a & 0xffffu, b & 0xffffu) +
         hipaudit::math::distance(a >> 16, b >> 16);
}
// The bytes' averages, rounded up where c's byte is odd.
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_lerp(unsigned a, unsigned b, unsigned c) {
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned sum = hipaudit::math::byte_of(a, i) + hipaudit::math::byte_of(b, i);
    result |= ((sum + (hipaudit::math::byte_of(c, i) & 1u)) >> 1) << (8 * i);
  }
  return result;
}

HIPAUDIT_DEVICE int __builtin_amdgcn_sdot4(int a, int b, int c, bool clamp) {
  const long long sum =
      hipaudit::math::dot_fields<8, true, true>(static_cast<unsigned>(a), static_cast<unsigned>(b));
  return hipaudit::math::clamped(sum + c, clamp);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_udot4(unsigned a, unsigned b, unsigned c, bool clamp) {
  const long long sum = hipaudit::math::dot_fields<8, false, false>(a, b);
  return hipaudit::math::clamped_unsigned(static_cast<unsigned long long>(sum) + c, clamp);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_sdot8(int a, int b, int c, bool clamp) {
  const long long sum =
      hipaudit::math::dot_fields<4, true, true>(static_cast<unsigned>(a), static_cast<unsigned>(b));
  return hipaudit::math::clamped(sum + c, clamp);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_udot8(unsigned a, unsigned b, unsigned c, bool clamp) {
  const long long sum = hipaudit::math::dot_fields<4, false, false>(a, b);
  return hipaudit::math::clamped_unsigned(static_cast<unsigned long long>(sum) + c, clamp);
}
// Each operand with its own signedness.
HIPAUDIT_DEVICE int __builtin_amdgcn_sudot4(bool a_signed, int a, bool b_signed, int b, int c,
                                            bool clamp) {
  const unsigned x = static_cast<unsigned>(a), y = static_cast<unsigned>(b);
  const long long sum = a_signed ? (b_signed ? hipaudit::math::dot_fields<8, true, true>(x, y)
                                             : hipaudit::math::dot_fields<8, true, false>(x, y))
                                 : (b_signed ? hipaudit::math::dot_fields<8, false, true>(x, y)
                                             : hipaudit::math::dot_fields<8, false, false>(x, y));
  return hipaudit::math::clamped(sum + c, clamp);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_sdot2(hipaudit::math::Short2 a, hipaudit::math::Short2 b,
                                           int c, bool clamp) {
  const long long sum = static_cast<long long>(a[0]) * b[0] + static_cast<long long>(a[1]) * b[1];
  return hipaudit::math::clamped(sum + c, clamp);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_udot2(hipaudit::math::UShort2 a,
                                                hipaudit::math::UShort2 b, unsigned c, bool clamp) {
  const unsigned long long sum =
      static_cast<unsigned long long>(a[0]) * b[0] + static_cast<unsigned long long>(a[1]) * b[1];
  return hipaudit::math::clamped_unsigned(sum + c, clamp);
}
HIPAUDIT_DEVICE hipaudit::math::PackedHalf __builtin_amdgcn_cvt_pkrtz(float x, float y) {
  const unsigned low = hipaudit::math::half_towards_zero(x);
  const unsigned high = hipaudit::math::half_towards_zero(y);
  return __builtin_bit_cast(hipaudit::math::PackedHalf, low | (high << 16));
}

// Exact products, added to c one after the other.
HIPAUDIT_DEVICE float __builtin_amdgcn_fdot2(hipaudit::math::Half2 a, hipaudit::math::Half2 b,
                                             float c, bool clamp) {
  const float inner =
      __builtin_elementwise_fma(static_cast<float>(a[1]), static_cast<float>(b[1]), c);
  const float sum =
      __builtin_elementwise_fma(static_cast<float>(a[0]), static_cast<float>(b[0]), inner);
  return clamp ? saturatef(sum) : sum;
}

HIPAUDIT_EXACT_END
