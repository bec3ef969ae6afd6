// Lane number by `tid & 63`: at width 32 only every second wave has a lane it calls 0, so half of
// the waves never hand in their sum. The twin divides by warpSize.
// RUN: --kernel total --grid 1 --block 128 --arg i32[128]=iota --arg i32[1]=zeros
// WIDTHS: both
// JUDGE: widths
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* out) {  // FAULT: wave-size-dependence at
#ifndef TWIN
  const int lane = threadIdx.x & 63;
#else
  const int lane = threadIdx.x % warpSize;
#endif
  int sum = in[threadIdx.x];
  for (int distance = warpSize / 2; distance > 0; distance /= 2) sum += __shfl_xor(sum, distance);
  if (lane == 0) atomicAdd(out, sum);
}
