// The C library's math functions under names of our own: math_symbols.cpp offers each to kernels as
// the C name, for those that call clang's builtins (__builtin_expf) and for calls that the
// optimiser makes.
#pragma once

// clang-format off
// f(double) is a function of the device library; ff(float) is here.
#define HIPAUDIT_C_UNARY(X) \
  X(acos) X(acosh) X(asin) X(asinh) X(atan) X(atanh) X(cbrt) X(cos) X(cosh) X(exp) X(exp10) X(exp2) \
  X(expm1) X(lgamma) X(log) X(log10) X(log1p) X(log2) X(sin) X(sinh) X(tan) X(tanh) X(tgamma)
#define HIPAUDIT_C_BINARY(X) X(atan2) X(fmod) X(remainder)
// Both are here.
#define HIPAUDIT_C_OTHER(X) \
  X(frexp) X(hypot) X(lround) X(modf) X(powi) X(sincos)
// clang-format on
