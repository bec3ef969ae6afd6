#include <hip/hip_fp16.h>

#include "probe.h"

#define HALF __half
#define HALF2 __half2
#include "sixteen.inc"

PROBE(nearest, __half, float, __float2half_rn(a))
PROBE(toward_zero, __half, float, __float2half_rz(a))
PROBE(downward, __half, float, __float2half_rd(a))
PROBE(upward, __half, float, __float2half_ru(a))
PROBE(bits, unsigned short, __half, __half_as_ushort(a))
PROBE(from_bits, __half, unsigned short, __ushort_as_half(a))
PROBE(native, _Float16, _Float16, a* a + a)
PROBE2(join, __half2, __half, __half, __halves2half2(a, b))
PROBE(low, __half, __half2, __low2half(a))
PROBE(high, __half, __half2, __high2half(a))
PROBE2(lows, __half2, __half2, __half2, __lows2half2(a, b))
PROBE2(highs, __half2, __half2, __half2, __highs2half2(a, b))
PROBE2(mixed_dot, float, __half2, __half2, amd_mixed_dot(a, b, 0.5f, false))
PROBE(from_long_long, __half, long long, __half(a))

#define INTEGER_PROBES(NAME, T)                             \
  PROBE(NAME##_rn, T, __half, __half2##NAME##_rn(a))        \
  PROBE(NAME##_rz, T, __half, __half2##NAME##_rz(a))        \
  PROBE(NAME##_rd, T, __half, __half2##NAME##_rd(a))        \
  PROBE(NAME##_ru, T, __half, __half2##NAME##_ru(a))        \
  PROBE(from_##NAME##_rn, __half, T, __##NAME##2half_rn(a)) \
  PROBE(from_##NAME##_rz, __half, T, __##NAME##2half_rz(a)) \
  PROBE(from_##NAME##_rd, __half, T, __##NAME##2half_rd(a)) \
  PROBE(from_##NAME##_ru, __half, T, __##NAME##2half_ru(a))

INTEGER_PROBES(short, short)
INTEGER_PROBES(ushort, unsigned short)
INTEGER_PROBES(int, int)
INTEGER_PROBES(uint, unsigned int)
INTEGER_PROBES(ll, long long)
INTEGER_PROBES(ull, unsigned long long)
