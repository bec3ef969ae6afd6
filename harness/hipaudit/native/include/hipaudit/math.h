// The device's math, whole: what a HIP kernel may call without any other header, under the names of
// HIP and, through namespace std, of <cmath>, whether or not that header is there too. Accuracy:
// harness/hipaudit/native/math_ulp.json.
#pragma once

#define HIPAUDIT_STD(NAME) \
  namespace std {          \
  using ::NAME;            \
  using ::NAME##f;         \
  }

// A function of the device library.
#define HIPAUDIT_LIBRARY extern "C" __device__ __attribute__((const))

#include "math_basic.h"
#include "math_compare.h"
#include "math_convert.h"
#include "math_integer.h"

#if defined(__AMDGCN__)
#include "amdgcn_float.h"
#else
#include "amdgcn_math.h"
#include "math_fast.h"
#include "math_float.h"
#endif

#undef HIPAUDIT_STD
#undef HIPAUDIT_LIBRARY
