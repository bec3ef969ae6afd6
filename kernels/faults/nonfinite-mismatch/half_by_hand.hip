// Half to float by hand, as quoted in a model loader: exponent 31 is not treated apart, so the
// 2,048 codes of infinities and NaNs come out finite; and -0 loses its sign. The claim that this
// conversion is exact is wrong for those. The twin is the intrinsic.
// RUN: --kernel widen --grid 256 --block 256 --arg u16[65536]=iota --arg f32[65536]=uninit
// JUDGE: oracle half_codes
// CLAIM: NP-003
// ALSO: conversion-inexact
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__device__ float half_to_float(unsigned short bits) {
#ifndef TWIN
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  const int exponent = ((bits >> 10) & 0x1f) - 15;
  const float mantissa = bits & 0x3ff;
  if (exponent == -15) return mantissa == 0.0f ? 0.0f : sign * mantissa * ldexpf(1.0f, -14 - 10);
  return sign * (1.0f + mantissa * ldexpf(1.0f, -10)) * ldexpf(1.0f, exponent);
#else
  return __half2float(__ushort_as_half(bits));
#endif
}

__global__ void widen(const unsigned short* in, float* out) {  // FAULT: nonfinite-mismatch at
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = half_to_float(in[i]);
}
