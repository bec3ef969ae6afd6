// Dequantisation d * q whose product is rounded to half before it is widened. The exact product has
// 19 bits and fits a float, so nothing needs rounding at all. The twin multiplies in float.
// RUN: --kernel dequantise --grid 64 --block 256 --arg f16[64]=uniform(0,1)
// RUN: --arg i8[16384]=uniform(-128,127) --arg f32[16384]=uninit
// JUDGE: oracle scaled_codes
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__global__ void dequantise(const __half* scales,  // FAULT: conversion-inexact at
                           const signed char* codes, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const __half scale = scales[blockIdx.x];
#ifndef TWIN
  out[i] = __half2float(scale * __float2half(codes[i]));
#else
  out[i] = __half2float(scale) * codes[i];
#endif
}
