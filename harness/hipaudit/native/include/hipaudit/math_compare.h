// Classification, absolute values, minima and maxima under the names that C++ overloads.
#pragma once

#include "math_basic.h"
#include "math_core.h"

#define HIPAUDIT_CLASSIFY(NAME, VALUE, INTEGER)                           \
  HIPAUDIT_DEVICE bool NAME(float x) { return VALUE; }                    \
  HIPAUDIT_DEVICE bool NAME(double x) { return VALUE; }                   \
  template <typename T, hipaudit::detail::EnableIf<__is_integral(T)> = 0> \
  HIPAUDIT_DEVICE bool NAME([[maybe_unused]] T x) {                       \
    return INTEGER;                                                       \
  }                                                                       \
  namespace std {                                                         \
  using ::NAME;                                                           \
  }

HIPAUDIT_CLASSIFY(isnan, hipaudit::math::is_nan(x), false)
HIPAUDIT_CLASSIFY(isinf, hipaudit::math::is_infinite(x), false)
HIPAUDIT_CLASSIFY(isfinite, hipaudit::math::is_finite(x), true)
HIPAUDIT_CLASSIFY(signbit, hipaudit::math::is_negative(x), x < T(0))
HIPAUDIT_CLASSIFY(isnormal,
                  hipaudit::math::is_finite(x) &&
                      __builtin_elementwise_abs(x) >= (sizeof(x) == 4 ? 0x1p-126 : 0x1p-1022),
                  x != T(0))

#undef HIPAUDIT_CLASSIFY

// isless(x, y) and its kin: false when either is NaN, and never an exception.
#define HIPAUDIT_COMPARE(NAME, VALUE)                                           \
  template <typename T, typename U,                                             \
            hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&    \
                                       hipaudit::detail::kIsArithmetic<U>> = 0> \
  HIPAUDIT_DEVICE bool NAME(T a, U b) {                                         \
    const double x = static_cast<double>(a);                                    \
    const double y = static_cast<double>(b);                                    \
    return VALUE;                                                               \
  }                                                                             \
  namespace std {                                                               \
  using ::NAME;                                                                 \
  }

HIPAUDIT_EXACT_BEGIN
HIPAUDIT_COMPARE(isgreater, x > y)
HIPAUDIT_COMPARE(isgreaterequal, x >= y)
HIPAUDIT_COMPARE(isless, x < y)
HIPAUDIT_COMPARE(islessequal, x <= y)
HIPAUDIT_COMPARE(islessgreater, x<y || x> y)
HIPAUDIT_COMPARE(isunordered, hipaudit::math::is_nan(x) || hipaudit::math::is_nan(y))
HIPAUDIT_EXACT_END

#undef HIPAUDIT_COMPARE

HIPAUDIT_DEVICE float abs(float x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE double abs(double x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE int abs(int x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE long abs(long x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE long long abs(long long x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE long labs(long x) { return __builtin_elementwise_abs(x); }
HIPAUDIT_DEVICE long long llabs(long long x) { return __builtin_elementwise_abs(x); }

namespace std {
using ::abs;
using ::labs;
using ::llabs;
}  // namespace std

// The type in which min and max compare: the integers' common type, float for two floats, else
// double.
namespace hipaudit::math {
template <typename T, typename U, bool kIntegers = __is_integral(T) && __is_integral(U)>
struct Common {
  using Type = decltype(true ? T() : U());
};
template <typename T, typename U>
struct Common<T, U, false> {
  using Type = double;
};
template <>
struct Common<float, float, false> {
  using Type = float;
};
}  // namespace hipaudit::math

#define HIPAUDIT_EXTREME(NAME, FLOATING, LESS)                                      \
  template <typename T, typename U,                                                 \
            hipaudit::detail::EnableIf<hipaudit::detail::kIsArithmetic<T> &&        \
                                       hipaudit::detail::kIsArithmetic<U>> = 0>     \
  HIPAUDIT_HOST_DEVICE typename hipaudit::math::Common<T, U>::Type NAME(T a, U b) { \
    using Type = typename hipaudit::math::Common<T, U>::Type;                       \
    const Type x = static_cast<Type>(a);                                            \
    const Type y = static_cast<Type>(b);                                            \
    if constexpr (__is_integral(Type))                                              \
      return LESS ? x : y;                                                          \
    else                                                                            \
      return FLOATING(x, y);                                                        \
  }

HIPAUDIT_EXACT_BEGIN
HIPAUDIT_EXTREME(min, hipaudit::math::lower, x < y)
HIPAUDIT_EXTREME(max, hipaudit::math::higher, y < x)
HIPAUDIT_EXACT_END

#undef HIPAUDIT_EXTREME

HIPAUDIT_DEVICE long long llmin(long long x, long long y) { return x < y ? x : y; }
HIPAUDIT_DEVICE long long llmax(long long x, long long y) { return x < y ? y : x; }
HIPAUDIT_DEVICE unsigned umin(unsigned x, unsigned y) { return x < y ? x : y; }
HIPAUDIT_DEVICE unsigned umax(unsigned x, unsigned y) { return x < y ? y : x; }
