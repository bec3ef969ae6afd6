#include <hip/hip_bf16.h>
#include <hip/hip_bfloat16.h>

#include "probe.h"

#define HALF __hip_bfloat16
#define HALF2 __hip_bfloat162
#include "sixteen.inc"

PROBE(nearest, __hip_bfloat16, float, __float2bfloat16(a))
PROBE(to_float, float, __hip_bfloat16, __bfloat162float(a))
PROBE(from_double_call, __hip_bfloat16, double, __double2bfloat16(a))
PROBE(from_int_call, __hip_bfloat16, int, __int2bfloat16_rn(a))
PROBE(from_unsigned, __hip_bfloat16, unsigned, __hip_bfloat16(a))
PROBE(bits, unsigned short, __hip_bfloat16, __bfloat16_as_ushort(a))
PROBE(from_bits, __hip_bfloat16, unsigned short, __ushort_as_bfloat16(a))
PROBE(pair_to_floats, float2, __hip_bfloat162, __bfloat1622float2(a))
PROBE(pair_from_floats, __hip_bfloat162, float2, __float22bfloat162_rn(a))

PROBE(old_widen, float, hip_bfloat16, static_cast<float>(a))
PROBE(old_nearest, hip_bfloat16, float, hip_bfloat16(a))
PROBE(old_round, hip_bfloat16, float, hip_bfloat16::round_to_bfloat16(a))
PROBE(old_truncate, hip_bfloat16, float, hip_bfloat16::round_to_bfloat16(a, hip_bfloat16::truncate))
PROBE2(old_add, hip_bfloat16, hip_bfloat16, hip_bfloat16, a + b)
PROBE2(old_multiply, hip_bfloat16, hip_bfloat16, hip_bfloat16, a* b)
PROBE2(old_less, bool, hip_bfloat16, hip_bfloat16, a < b)
