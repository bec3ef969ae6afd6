// HIP's half precision: __half, __half2 and their functions.
#pragma once

#include "../hipaudit/atomics.h"
#include "../hipaudit/half_convert.h"
#include "../hipaudit/half_type.h"
#include "../hipaudit/math.h"

#define HALF __half
#define HALF2 __half2
#include "../hipaudit/half_arithmetic.inc"
#include "../hipaudit/half_atomic.inc"
#include "../hipaudit/half_math.inc"
#undef HALF
#undef HALF2

// a.x * b.x + a.y * b.y + c in float; the products are exact.
HIPAUDIT_DEVICE float amd_mixed_dot(__half2 a, __half2 b, float c, bool saturate) {
  const float sum = __low2float(a) * __low2float(b) + __high2float(a) * __high2float(b) + c;
  if (!saturate) return sum;
  return sum < 0.0f ? 0.0f : sum > 1.0f ? 1.0f : sum;
}

#if !defined(HIP_NO_HALF)
using half = __half;
using half2 = __half2;
#endif
