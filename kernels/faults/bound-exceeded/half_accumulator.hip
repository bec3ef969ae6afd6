// Dot products of half rows with a half accumulator: once the sum is large, the low bits of each
// product fall away. The sum stays finite, so only a bound sees it. The twin accumulates in float.
// RUN: --kernel dot --grid 1 --block 64 --arg f16[16384]=uniform(0,1) --arg f16[16384]=uniform(0,1)
// RUN: --arg f32[64]=uninit --arg i32=256
// JUDGE: oracle dot_rows
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

#ifndef TWIN
using Sum = __half;
#else
using Sum = float;
#endif

__global__ void dot(const __half* a, const __half* b, float* out,  // FAULT: bound-exceeded at
                    int n) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  Sum sum = Sum(0.0f);
  for (int i = 0; i < n; ++i) {
    const float product = __half2float(a[row * n + i]) * __half2float(b[row * n + i]);
    sum = sum + Sum(product);
  }
  out[row] = static_cast<float>(sum);
}
