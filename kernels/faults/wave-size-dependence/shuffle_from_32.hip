// Wave sum whose first step is written for 64 lanes: at width 32 a shuffle by 32 gives the lane its
// own value back, so every sum comes out doubled. No memory is at fault; the two widths disagree.
// The twin starts at warpSize / 2.
// RUN: --kernel block_sums --grid 4 --block 64 --arg i32[256]=iota --arg i32[4]=zeros
// WIDTHS: both
// JUDGE: widths
#include <hip/hip_runtime.h>

__global__ void block_sums(const int* in, int* out) {  // FAULT: wave-size-dependence at
  int sum = in[blockIdx.x * blockDim.x + threadIdx.x];
#ifndef TWIN
  const int first = 32;
#else
  const int first = warpSize / 2;
#endif
  for (int distance = first; distance > 0; distance /= 2) sum += __shfl_down(sum, distance);
  if (threadIdx.x % warpSize == 0) atomicAdd(&out[blockIdx.x], sum);
}
