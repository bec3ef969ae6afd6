// Complex numbers: a float2 or double2 of the real and the imaginary part.
//
// The formulas are AMD's, unscaled: hipCdiv and hipCabs overflow and underflow where a squared
// magnitude does. The operators of float2 and double2 work element by element, on AMD too.
#pragma once

#include "hip_vector_types.h"

using hipFloatComplex = float2;
using hipDoubleComplex = double2;
using hipComplex = hipFloatComplex;

HIPAUDIT_HOST_DEVICE hipFloatComplex make_hipFloatComplex(float real, float imaginary) {
  return make_float2(real, imaginary);
}
HIPAUDIT_HOST_DEVICE hipDoubleComplex make_hipDoubleComplex(double real, double imaginary) {
  return make_double2(real, imaginary);
}
HIPAUDIT_HOST_DEVICE hipComplex make_hipComplex(float real, float imaginary) {
  return make_float2(real, imaginary);
}
HIPAUDIT_HOST_DEVICE hipFloatComplex hipComplexDoubleToFloat(hipDoubleComplex z) {
  return make_float2(static_cast<float>(z.x), static_cast<float>(z.y));
}
HIPAUDIT_HOST_DEVICE hipDoubleComplex hipComplexFloatToDouble(hipFloatComplex z) {
  return make_double2(z.x, z.y);
}

// SUFFIX is f for single precision and empty for double.
#define HIPAUDIT_COMPLEX(COMPLEX, REAL, SUFFIX)                                            \
  HIPAUDIT_HOST_DEVICE REAL hipCreal##SUFFIX(COMPLEX z) { return z.x; }                    \
  HIPAUDIT_HOST_DEVICE REAL hipCimag##SUFFIX(COMPLEX z) { return z.y; }                    \
  HIPAUDIT_HOST_DEVICE COMPLEX hipConj##SUFFIX(COMPLEX z) { return COMPLEX(z.x, -z.y); }   \
  HIPAUDIT_HOST_DEVICE REAL hipCsqabs##SUFFIX(COMPLEX z) { return z.x * z.x + z.y * z.y; } \
  HIPAUDIT_HOST_DEVICE REAL hipCabs##SUFFIX(COMPLEX z) {                                   \
    return __builtin_elementwise_sqrt(hipCsqabs##SUFFIX(z));                               \
  }                                                                                        \
  HIPAUDIT_HOST_DEVICE COMPLEX hipCadd##SUFFIX(COMPLEX p, COMPLEX q) {                     \
    return COMPLEX(p.x + q.x, p.y + q.y);                                                  \
  }                                                                                        \
  HIPAUDIT_HOST_DEVICE COMPLEX hipCsub##SUFFIX(COMPLEX p, COMPLEX q) {                     \
    return COMPLEX(p.x - q.x, p.y - q.y);                                                  \
  }                                                                                        \
  HIPAUDIT_HOST_DEVICE COMPLEX hipCmul##SUFFIX(COMPLEX p, COMPLEX q) {                     \
    return COMPLEX(p.x * q.x - p.y * q.y, p.y * q.x + p.x * q.y);                          \
  }                                                                                        \
  HIPAUDIT_HOST_DEVICE COMPLEX hipCdiv##SUFFIX(COMPLEX p, COMPLEX q) {                     \
    const REAL square = hipCsqabs##SUFFIX(q);                                              \
    return COMPLEX((p.x * q.x + p.y * q.y) / square, (p.y * q.x - p.x * q.y) / square);    \
  }                                                                                        \
  HIPAUDIT_HOST_DEVICE COMPLEX hipCfma##SUFFIX(COMPLEX p, COMPLEX q, COMPLEX r) {          \
    return COMPLEX((p.x * q.x + r.x) - p.y * q.y, (q.x * p.y + r.y) + p.x * q.y);          \
  }
HIPAUDIT_COMPLEX(hipFloatComplex, float, f)
HIPAUDIT_COMPLEX(hipDoubleComplex, double, )
#undef HIPAUDIT_COMPLEX
