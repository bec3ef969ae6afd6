// Dot product of 128 with a half accumulator: it overflows at 65504, which attention scores of
// unnormalised queries and keys reach. A float accumulator (the twin) overflows above 1.6e18 times
// 1.6e18 only (-D INPUT=float), so moving to double (-D ACCUMULATOR=double) buys nothing here.
// RUN: --kernel scores --grid 1 --block 64 --arg f16[8192]=uniform(20,30)
// RUN: --arg f16[8192]=uniform(20,30) --arg f32[64]=uninit --arg i32=128
// JUDGE: oracle dot_rows
// CLAIM: NP-002
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

#ifndef ACCUMULATOR
#ifndef TWIN
#define ACCUMULATOR __half
#else
#define ACCUMULATOR float
#endif
#endif

#ifndef INPUT
#define INPUT __half
#endif

__device__ float wide(__half x) { return __half2float(x); }

__device__ float wide(float x) { return x; }

__global__ void scores(const INPUT* q, const INPUT* k, float* out, int n) {  // FAULT: overflow at
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  using Sum = ACCUMULATOR;
  Sum sum = Sum(0.0f);
  for (int i = 0; i < n; ++i) {
    sum = sum + Sum(wide(q[row * n + i])) * Sum(wide(k[row * n + i]));
  }
  out[row] = static_cast<float>(sum);
}
