// A kernel that names <cmath>'s functions in every way, beside host code that does too.
// STANDARD_FIRST and STANDARD_LAST say where the standard header stands; with neither, it is
// absent.
#if defined(STANDARD_FIRST)
#include <cmath>
#include <cstdlib>
#endif
#include "hipaudit/math.h"
#if defined(STANDARD_LAST)
#include <algorithm>
#include <cmath>
#include <cstdlib>
#endif

template <typename T>
struct Is {
  template <typename U>
  static constexpr bool kSame = __is_same(T, U);
};
#define SAME(TYPE, EXPRESSION) static_assert(Is<TYPE>::kSame<decltype(EXPRESSION)>)

__device__ void overloads(float f, double d, int i, long n, unsigned u) {
  SAME(float, std::exp(f));
  SAME(double, std::exp(d));
  SAME(double, std::exp(i));
  SAME(double, std::sqrt(n));
  SAME(float, std::pow(f, f));
  SAME(float, std::pow(f, i));
  SAME(double, std::pow(f, d));
  SAME(double, std::pow(i, i));
  SAME(float, std::fma(f, f, f));
  SAME(double, std::fma(f, d, i));
  SAME(float, fmin(f, f));
  SAME(double, std::fmax(d, f));
  SAME(float, std::abs(f));
  SAME(int, std::abs(i));
  SAME(long, abs(n));
  SAME(float, std::fabs(f));
  SAME(double, std::atan2(i, f));
  SAME(float, std::hypot(f, f, f));
  SAME(bool, std::isnan(f));
  SAME(bool, isinf(d));
  SAME(bool, std::isfinite(i));
  SAME(int, min(i, 3));
  SAME(unsigned, max(u, 3));
  SAME(long, max(n, 3));
  SAME(float, max(f, 0.0f));
  SAME(double, min(f, d));
  SAME(long, std::lround(f));
  SAME(float, std::ldexp(f, i));
  SAME(float, std::floor(f));
}

extern "C" __attribute__((global)) void probe_standard(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) {
    int exponent;
    float sum = std::exp(x[i]) + std::expf(x[i]) + expf(x[i]) + exp(x[i]);
    sum += std::sin(x[i]) + std::cos(x[i]) + std::tanh(x[i]) + std::log(std::fabs(x[i]) + 1.0f);
    sum += std::fma(x[i], 2.0f, 1.0f) + std::sqrt(std::abs(x[i])) + std::pow(x[i], 2);
    sum += std::frexp(x[i], &exponent) + std::copysign(1.0f, x[i]) + max(x[i], 0.0f);
    sum += static_cast<float>(std::erf(static_cast<double>(x[i])) + std::isnan(x[i]) + exponent);
#if defined(STANDARD_LAST)
    sum += std::max(x[i], 1.0f) - std::max(x[i], 1.0f);
#endif
    out[i] = sum;
  }
}

#if defined(STANDARD_FIRST) || defined(STANDARD_LAST)
float host(float x, int n) {
  using namespace std;
  return std::exp(x) + std::exp(n) + expf(x) + std::sqrt(2.0) + std::isnan(x) + std::abs(x) +
         std::pow(x, 2.0f) + fabs(x) + min(n, 2) + floor(x);
}
#endif
