// The types together, as kernels use them: in shared memory, through shuffles, atomics and math.
#include <hip/hip_bf16.h>
#include <hip/hip_fp16.h>
#include <hip/hip_fp8.h>

struct Record {
  __half2 pair;
  __hip_bfloat16 other;
  __hip_fp8_e4m3 small;
  float3 three;
};

// out: 8 floats a thread. totals: a __half2 and a __hip_bfloat162, zero before.
extern "C" __global__ void mixture(const float* in, float* out, __half2* half_total,
                                   __hip_bfloat162* bfloat_total) {
  __shared__ Record records[64];
  __shared__ float4 fours[64];
  const int self = static_cast<int>(threadIdx.x);
  const int other = 63 - self;
  const float value = in[self];
  Record record;
  record.pair = __floats2half2_rn(value, -value);
  record.other = __float2bfloat16(value);
  record.small = __hip_fp8_e4m3(value);
  record.three = make_float3(value, 1, 2);
  records[self] = record;
  fours[self] = make_float4(value, value, value, value) * 2.0f;
  __syncthreads();
  float* row = out + 8 * self;
  row[0] = __low2float(records[other].pair);
  row[1] = records[other].other;
  row[2] = records[other].small;
  row[3] = records[other].three.x + fours[other].w;
  row[4] = __half2float(__shfl_xor(__low2half(record.pair), 1));
  row[5] = __bfloat162float(__shfl_xor(record.other, 2));
  row[6] = __half2float(hsin(__low2half(record.pair)));
  row[7] = __low2float(h2exp10(record.pair));
  atomicAdd(half_total, __floats2half2_rn(1, 2));
  unsafeAtomicAdd(bfloat_total, __floats2bfloat162_rn(2, 1));
}
