// The C library's math functions under names of our own: math_symbols.cpp offers each to kernels as
// the C name, for those that call clang's builtins (__builtin_expf) and for calls that the
// optimiser makes. Transcendental results pass through the adversary here, since no header stands
// between: math_adversary.cpp.
#pragma once

// clang-format off
// f(double) is a function of the device library; its C name and ff(float) are here.
#define HIPAUDIT_C_UNARY(X) \
  X(acos) X(acosh) X(asin) X(asinh) X(atan) X(atanh) X(cbrt) X(cos) X(cosh) X(exp) X(exp10) X(exp2) \
  X(expm1) X(lgamma) X(log) X(log10) X(log1p) X(log2) X(sin) X(sinh) X(tan) X(tanh) X(tgamma)
// The same, with a float form of the device library's own.
#define HIPAUDIT_C_UNARY_PAIR(X) X(erf) X(erfc)
// Two arguments; exact.
#define HIPAUDIT_C_EXACT(X) X(fmod) X(remainder)
// Both are here.
#define HIPAUDIT_C_OTHER(X) \
  X(atan2) X(frexp) X(hypot) X(lround) X(modf) X(pow) X(powi) X(sincos)
// clang-format on
