#include <hip/hip_complex.h>
#include <hip/hip_vector_types.h>

#include "probe.h"

// sizeof and alignof of every vector type, in the order of the test's table.
#define LAYOUT(NAME)                                                                     \
  sizeof(NAME##1), alignof(NAME##1), sizeof(NAME##2), alignof(NAME##2), sizeof(NAME##3), \
      alignof(NAME##3), sizeof(NAME##4), alignof(NAME##4)

extern "C" __device__ const unsigned vector_layout[] = {
    LAYOUT(char),  LAYOUT(uchar),  LAYOUT(short), LAYOUT(ushort),   LAYOUT(int),
    LAYOUT(uint),  LAYOUT(long),   LAYOUT(ulong), LAYOUT(longlong), LAYOUT(ulonglong),
    LAYOUT(float), LAYOUT(double), sizeof(dim3),  alignof(dim3),
};

#define SHAREABLE(NAME)                                                                           \
  static_assert(__is_trivially_copyable(NAME##1) && __is_trivially_copyable(NAME##2) &&           \
                __is_trivially_copyable(NAME##3) && __is_trivially_copyable(NAME##4));            \
  static_assert(__is_trivially_constructible(NAME##1) && __is_trivially_constructible(NAME##2) && \
                __is_trivially_constructible(NAME##3) && __is_trivially_constructible(NAME##4));
SHAREABLE(char)
SHAREABLE(ulonglong)
SHAREABLE(float)
SHAREABLE(double)

#define ARITHMETIC(NAME, T)                     \
  PROBE2(NAME##_add, T, T, T, a + b)            \
  PROBE2(NAME##_subtract, T, T, T, a - b)       \
  PROBE2(NAME##_multiply, T, T, T, a* b)        \
  PROBE2(NAME##_divide, T, T, T, a / b)         \
  PROBE2(NAME##_multiply_assign, T, T, T, [&] { \
    T v = a;                                    \
    v *= b;                                     \
    return v;                                   \
  }())                                          \
  PROBE2(NAME##_equal, bool, T, T, a == b)      \
  PROBE2(NAME##_unequal, bool, T, T, a != b)    \
  PROBE(NAME##_negate, T, T, -a)                \
  PROBE(NAME##_increment, T, T, [&] {           \
    T v = a;                                    \
    ++v;                                        \
    return v;                                   \
  }())                                          \
  PROBE(NAME##_decrement_after, T, T, [&] {     \
    T v = a;                                    \
    const T old = v--;                          \
    return old - v;                             \
  }())                                          \
  PROBE(NAME##_times_scalar, T, T, a * 3)       \
  PROBE(NAME##_scalar_minus, T, T, 7 - a)

ARITHMETIC(float1, float1)
ARITHMETIC(float2, float2)
ARITHMETIC(float3, float3)
ARITHMETIC(float4, float4)
ARITHMETIC(double2, double2)
ARITHMETIC(int3, int3)
ARITHMETIC(int4, int4)
ARITHMETIC(uchar4, uchar4)
ARITHMETIC(short2, short2)
ARITHMETIC(ulonglong2, ulonglong2)

#define BITWISE(NAME)                               \
  PROBE2(NAME##_and, NAME, NAME, NAME, a& b)        \
  PROBE2(NAME##_or, NAME, NAME, NAME, a | b)        \
  PROBE2(NAME##_xor, NAME, NAME, NAME, a ^ b)       \
  PROBE2(NAME##_remainder, NAME, NAME, NAME, a % b) \
  PROBE(NAME##_invert, NAME, NAME, ~a)              \
  PROBE(NAME##_shift_left, NAME, NAME, a << 3)      \
  PROBE(NAME##_shift_right, NAME, NAME, a >> 2)     \
  PROBE(NAME##_shift_assign, NAME, NAME, [&] {      \
    NAME v = a;                                     \
    v >>= 2;                                        \
    return v;                                       \
  }())

BITWISE(int3)
BITWISE(int4)
BITWISE(uchar4)
BITWISE(ulonglong2)

PROBE(scalar_truncated, int4, int4, a * 2.5f)
PROBE(made, float4, float4, make_float4(a.w, a.z, a.y, a.x))
PROBE(indexed, float3, float3, [&] {
  float3 v = a;
  v[2] = v[0];
  return v;
}())
PROBE(first_only, float4, float, float4(a))
PROBE(braced, float4, float, [&] {
  float4 v = {a, 2};
  return v;
}())
PROBE(zeroed, float4, float, [&] {
  float4 v{};
  v.y = a;
  return v;
}())
PROBE(extent, dim3, unsigned, dim3(a))

PROBE2(complex_multiply, hipFloatComplex, hipFloatComplex, hipFloatComplex, hipCmulf(a, b))
PROBE2(complex_divide, hipDoubleComplex, hipDoubleComplex, hipDoubleComplex, hipCdiv(a, b))
PROBE3(complex_fma, hipDoubleComplex, hipDoubleComplex, hipCfma(a, b, c))
PROBE(complex_size, double, hipDoubleComplex, hipCabs(a))
PROBE(complex_conjugate, hipFloatComplex, hipFloatComplex, hipConjf(a))
PROBE(complex_wide, hipDoubleComplex, hipFloatComplex, hipComplexFloatToDouble(a))
