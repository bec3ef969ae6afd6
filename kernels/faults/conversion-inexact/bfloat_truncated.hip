// Float to bfloat16 by dropping the low 16 bits: it rounds towards zero, half a unit off on
// average, and biases every sum downstream. The format's conversion rounds to nearest, ties to
// even, as the twin does.
// RUN: --kernel narrow --grid 4 --block 256 --arg f32[1024]=uniform(-4,4) --arg u16[1024]=uninit
// JUDGE: oracle bfloat_codes
#include <hip/hip_runtime.h>

__global__ void narrow(const float* in, unsigned short* out) {  // FAULT: conversion-inexact at
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned bits = __float_as_uint(in[i]);
#ifdef TWIN
  bits += 0x7fff + ((bits >> 16) & 1);
#endif
  out[i] = static_cast<unsigned short>(bits >> 16);
}
