// Eight consecutive elements of a stored array as eight floats: 16 bytes of a 16-bit format, 32 of
// float32, read as vectors of 16 bytes.
//
// Formula   load(x)[i] = x[i] for i < 8; load_some(x, count)[i] = x[i] for i < count, else 0
// Formats   float, __half and __hip_bfloat16; every value of each is exact as a float.
// Limits    load wants x at a multiple of 16 bytes (`aligned` tells); load_some takes any address
//           and reads nothing beyond count elements.
#pragma once

#include <hip/hip_bf16.h>
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

namespace lanes8 {

constexpr int kWidth = 8;
constexpr size_t kAlignment = 16;

using Floats = float __attribute__((ext_vector_type(kWidth)));
using Quad = float __attribute__((ext_vector_type(4)));
using Halves = _Float16 __attribute__((ext_vector_type(kWidth)));
using Codes = unsigned short __attribute__((ext_vector_type(kWidth)));
using Words = unsigned int __attribute__((ext_vector_type(kWidth)));

__device__ inline bool aligned(const void* x) {
  return reinterpret_cast<size_t>(x) % kAlignment == 0;
}

__device__ inline Floats load(const float* x) {
  const Quad* from = reinterpret_cast<const Quad*>(x);
  return __builtin_shufflevector(from[0], from[1], 0, 1, 2, 3, 4, 5, 6, 7);
}

__device__ inline Floats load(const __half* x) {
  return __builtin_convertvector(*reinterpret_cast<const Halves*>(x), Floats);
}

// A bfloat16 is the upper half of a float.
__device__ inline Floats load(const __hip_bfloat16* x) {
  const Codes codes = *reinterpret_cast<const Codes*>(x);
  return __builtin_bit_cast(Floats, __builtin_convertvector(codes, Words) << 16);
}

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(__half value) { return __half2float(value); }
__device__ inline float widen(__hip_bfloat16 value) { return __bfloat162float(value); }

// The float rounded once to the type of the element it goes to.
__device__ inline void store(float* to, float value) { *to = value; }
__device__ inline void store(__half* to, float value) { *to = __float2half(value); }
__device__ inline void store(__hip_bfloat16* to, float value) { *to = __float2bfloat16(value); }

template <class Element>
__device__ Floats load_some(const Element* x, int count) {
  Floats values = {};
  for (int i = 0; i < kWidth; ++i) {
    if (i < count) values[i] = widen(x[i]);
  }
  return values;
}

// Sum by halves: height 3.
__device__ inline float sum(Floats v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

}  // namespace lanes8
