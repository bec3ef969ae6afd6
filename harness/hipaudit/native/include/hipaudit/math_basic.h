// The functions of HIP's math API that are exact, or one operation of IEEE 754: rounding,
// remainders, minima, manipulation of the representation, classification.
#pragma once

#include "math_core.h"

HIPAUDIT_EXACT_BEGIN

HIPAUDIT_LIBRARY double hipaudit_fmod(double x, double y) noexcept;
HIPAUDIT_LIBRARY double hipaudit_remainder(double x, double y) noexcept;
HIPAUDIT_LIBRARY int hipaudit_remquo_quotient(double x, double y) noexcept;
HIPAUDIT_LIBRARY double hipaudit_ldexp(double x, int n) noexcept;

namespace hipaudit::math {

// NaN gives 0 and what is out of range the nearest bound, as AMD's conversions do.
template <typename To, typename From>
HIPAUDIT_DEVICE To saturate(From x) {
  constexpr bool kSigned = static_cast<To>(-1) < static_cast<To>(0);
  constexpr int kBits = static_cast<int>(sizeof(To) * 8) - (kSigned ? 1 : 0);
  constexpr From kLimit = static_cast<From>(1ull << (kBits - 1)) * 2;
  constexpr To kHighest = static_cast<To>(~0ull >> (64 - kBits));
  constexpr To kLowest = static_cast<To>(-kHighest - 1);
  if (is_nan(x)) return 0;
  if (x >= kLimit) return kHighest;
  if (!(x > (kSigned ? -kLimit : From{0}))) return kSigned ? kLowest : To{0};
  return static_cast<To>(x);
}

// The neighbour of x towards y, on the bits.
template <typename T>
HIPAUDIT_DEVICE T next_after(T x, T y) {
  if (is_nan(x) || is_nan(y)) return x + y;
  if (x == y) return y;
  auto bits = bits_of(x);
  if (x == 0) return with_sign(from_bits(decltype(bits){1}), y);
  return from_bits((y > x) == (x > 0) ? bits + 1 : bits - 1);
}

// Biased so that zero and subnormals are counted as if normal: floor(log2 |x|) of a finite x != 0.
HIPAUDIT_DEVICE int exponent_of(double x) {
  const Bits bits = bits_of(x) & ~(1ull << 63);
  if (bits < (1ull << 52)) return -1011 - __builtin_clzll(bits | 1);
  return static_cast<int>(bits >> 52) - 1023;
}

HIPAUDIT_DEVICE int exponent_class(double x) {
  if (x == 0.0 || is_nan(x)) return -2147483647 - 1;
  return is_infinite(x) ? 2147483647 : exponent_of(x);
}

// A float times 2^n in double, where it cannot overflow, then one rounding.
HIPAUDIT_DEVICE float scale_float(float x, long n) {
  const long k = n < -300 ? -300 : n > 300 ? 300 : n;
  return static_cast<float>(static_cast<double>(x) * from_bits(static_cast<Bits>(k + 1023) << 52));
}

HIPAUDIT_DEVICE int small_int(long n) {
  return static_cast<int>(n < -5000 ? -5000 : n > 5000 ? 5000 : n);
}

// IEEE 754-2019 minimumNumber and maximumNumber: a NaN loses against a number, -0 is below +0.
#if defined(__AMDGCN__)
template <typename T>
HIPAUDIT_HOST_DEVICE T lower(T x, T y) {
  return __builtin_elementwise_minimumnum(x, y);
}

template <typename T>
HIPAUDIT_HOST_DEVICE T higher(T x, T y) {
  return __builtin_elementwise_maximumnum(x, y);
}
#else
// On the host those branch on a sign, which nobody can predict. Here equal numbers have the same
// bits, but for zeros; and of others the sign of a zero is its own.
template <typename T>
HIPAUDIT_HOST_DEVICE T lower(T x, T y) {
  return x == y ? from_bits(bits_of(x) | bits_of(y)) : __builtin_elementwise_min(x, y);
}

template <typename T>
HIPAUDIT_HOST_DEVICE T higher(T x, T y) {
  return x == y ? from_bits(bits_of(x) & bits_of(y)) : __builtin_elementwise_max(x, y);
}
#endif

}  // namespace hipaudit::math

// f(double), ff(float), f(float), f(integer) and std::f, one expression for both types.
#define HIPAUDIT_EXACT(NAME, RESULT_D, RESULT_F, VALUE)                   \
  HIPAUDIT_DEVICE RESULT_D NAME(double x) { return VALUE; }               \
  HIPAUDIT_DEVICE RESULT_F NAME##f(float x) { return VALUE; }             \
  HIPAUDIT_DEVICE RESULT_F NAME(float x) { return VALUE; }                \
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0> \
  HIPAUDIT_DEVICE RESULT_D NAME(T x) {                                    \
    return NAME(static_cast<double>(x));                                  \
  }                                                                       \
  HIPAUDIT_STD(NAME)

#define HIPAUDIT_EXACT_PAIR(NAME, VALUE)                                        \
  HIPAUDIT_DEVICE double NAME(double x, double y) {                             \
    using Type = double;                                                        \
    return static_cast<Type>(VALUE);                                            \
  }                                                                             \
  HIPAUDIT_DEVICE float NAME##f(float x, float y) {                             \
    using Type = float;                                                         \
    return static_cast<Type>(VALUE);                                            \
  }                                                                             \
  HIPAUDIT_DEVICE float NAME(float x, float y) { return NAME##f(x, y); }        \
  template <typename T, typename U,                                             \
            hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&    \
                                       hipaudit::detail::kIsArithmetic<U>> = 0> \
  HIPAUDIT_DEVICE double NAME(T x, U y) {                                       \
    return NAME(static_cast<double>(x), static_cast<double>(y));                \
  }                                                                             \
  HIPAUDIT_STD(NAME)

HIPAUDIT_EXACT(fabs, double, float, __builtin_elementwise_abs(x))
HIPAUDIT_EXACT(floor, double, float, __builtin_elementwise_floor(x))
HIPAUDIT_EXACT(ceil, double, float, __builtin_elementwise_ceil(x))
HIPAUDIT_EXACT(trunc, double, float, __builtin_elementwise_trunc(x))
HIPAUDIT_EXACT(round, double, float, __builtin_elementwise_round(x))
HIPAUDIT_EXACT(rint, double, float, __builtin_elementwise_roundeven(x))
HIPAUDIT_EXACT(nearbyint, double, float, __builtin_elementwise_roundeven(x))
HIPAUDIT_EXACT(lround, long, long, hipaudit::math::saturate<long>(__builtin_elementwise_round(x)))
HIPAUDIT_EXACT(llround, long long, long long,
               hipaudit::math::saturate<long long>(__builtin_elementwise_round(x)))
HIPAUDIT_EXACT(lrint, long, long,
               hipaudit::math::saturate<long>(__builtin_elementwise_roundeven(x)))
HIPAUDIT_EXACT(llrint, long long, long long,
               hipaudit::math::saturate<long long>(__builtin_elementwise_roundeven(x)))
HIPAUDIT_EXACT(ilogb, int, int, hipaudit::math::exponent_class(static_cast<double>(x)))
HIPAUDIT_EXACT(
    logb, double, float,
    (x == 0 ? -__builtin_inff()
     : !hipaudit::math::is_finite(x)
         ? x * x
         : static_cast<decltype(x)>(hipaudit::math::exponent_of(static_cast<double>(x)))))

HIPAUDIT_EXACT_PAIR(fmin, hipaudit::math::lower<Type>(x, y))
HIPAUDIT_EXACT_PAIR(fmax, hipaudit::math::higher<Type>(x, y))
HIPAUDIT_EXACT_PAIR(copysign, __builtin_elementwise_copysign(x, y))
HIPAUDIT_EXACT_PAIR(nextafter, hipaudit::math::next_after<Type>(x, y))
HIPAUDIT_EXACT_PAIR(fdim, hipaudit::math::is_nan(x) || hipaudit::math::is_nan(y) ? x + y
                          : x > y                                                ? x - y
                                                                                 : Type{0})
HIPAUDIT_EXACT_PAIR(fmod, hipaudit_fmod(x, y))
HIPAUDIT_EXACT_PAIR(remainder, hipaudit_remainder(x, y))

#undef HIPAUDIT_EXACT
#undef HIPAUDIT_EXACT_PAIR

HIPAUDIT_DEVICE double fma(double x, double y, double z) {
  return __builtin_elementwise_fma(x, y, z);
}
HIPAUDIT_DEVICE float fmaf(float x, float y, float z) { return __builtin_elementwise_fma(x, y, z); }
HIPAUDIT_DEVICE float fma(float x, float y, float z) { return fmaf(x, y, z); }
template <typename T, typename U, typename V,
          hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&
                                     hipaudit::detail::kIsArithmetic<U> &&
                                     hipaudit::detail::kIsArithmetic<V>> = 0>
HIPAUDIT_DEVICE double fma(T x, U y, V z) {
  return fma(static_cast<double>(x), static_cast<double>(y), static_cast<double>(z));
}
HIPAUDIT_STD(fma)

HIPAUDIT_DEVICE double ldexp(double x, int n) { return hipaudit_ldexp(x, n); }
HIPAUDIT_DEVICE float ldexpf(float x, int n) { return hipaudit::math::scale_float(x, n); }
HIPAUDIT_DEVICE float ldexp(float x, int n) { return ldexpf(x, n); }
HIPAUDIT_DEVICE double scalbn(double x, int n) { return hipaudit_ldexp(x, n); }
HIPAUDIT_DEVICE float scalbnf(float x, int n) { return ldexpf(x, n); }
HIPAUDIT_DEVICE float scalbn(float x, int n) { return ldexpf(x, n); }
HIPAUDIT_DEVICE double scalbln(double x, long n) {
  return hipaudit_ldexp(x, hipaudit::math::small_int(n));
}
HIPAUDIT_DEVICE float scalblnf(float x, long n) { return hipaudit::math::scale_float(x, n); }
HIPAUDIT_DEVICE float scalbln(float x, long n) { return scalblnf(x, n); }
HIPAUDIT_STD(ldexp)
HIPAUDIT_STD(scalbn)
HIPAUDIT_STD(scalbln)

HIPAUDIT_DEVICE double frexp(double x, int* exponent) {
  const bool plain = x != 0.0 && hipaudit::math::is_finite(x);
  *exponent = plain ? hipaudit::math::exponent_of(x) + 1 : 0;
  return plain ? hipaudit_ldexp(x, -*exponent) : x;
}
HIPAUDIT_DEVICE float frexpf(float x, int* exponent) {
  return static_cast<float>(frexp(static_cast<double>(x), exponent));
}
HIPAUDIT_DEVICE float frexp(float x, int* exponent) { return frexpf(x, exponent); }
HIPAUDIT_STD(frexp)

HIPAUDIT_DEVICE double modf(double x, double* whole) {
  const double rest = hipaudit::math::is_infinite(x) ? 0.0 : x - __builtin_elementwise_trunc(x);
  *whole = __builtin_elementwise_trunc(x);
  return hipaudit::math::is_nan(x) ? x : hipaudit::math::with_sign(rest, x);
}
HIPAUDIT_DEVICE float modff(float x, float* whole) {
  const float rest = hipaudit::math::is_infinite(x) ? 0.0f : x - __builtin_elementwise_trunc(x);
  *whole = __builtin_elementwise_trunc(x);
  return hipaudit::math::is_nan(x) ? x : hipaudit::math::with_sign(rest, x);
}
HIPAUDIT_DEVICE float modf(float x, float* whole) { return modff(x, whole); }
HIPAUDIT_STD(modf)

HIPAUDIT_DEVICE double remquo(double x, double y, int* quotient) {
  *quotient = hipaudit_remquo_quotient(x, y);
  return hipaudit_remainder(x, y);
}
HIPAUDIT_DEVICE float remquof(float x, float y, int* quotient) {
  return static_cast<float>(remquo(static_cast<double>(x), static_cast<double>(y), quotient));
}
HIPAUDIT_DEVICE float remquo(float x, float y, int* quotient) { return remquof(x, y, quotient); }
HIPAUDIT_STD(remquo)

HIPAUDIT_DEVICE double nan(const char*) { return __builtin_nan(""); }
HIPAUDIT_DEVICE float nanf(const char*) { return __builtin_nanf(""); }
HIPAUDIT_DEVICE float fdividef(float x, float y) { return x / y; }
HIPAUDIT_DEVICE float saturatef(float x) { return !(x > 0.0f) ? 0.0f : x > 1.0f ? 1.0f : x; }
HIPAUDIT_DEVICE float __saturatef(float x) { return saturatef(x); }

HIPAUDIT_EXACT_END
