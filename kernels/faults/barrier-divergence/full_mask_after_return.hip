// Sum of each wave's elements with a full mask, after the threads beyond the end have returned:
// the mask names lanes that have ended, and what they would add is undefined. The twin keeps them.
// RUN: --kernel wave_sums --grid 1 --block 64 --arg i32[50]=iota --arg i32[64]=zeros --arg i32=50
#include <hip/hip_runtime.h>

__global__ void wave_sums(const int* in, int* out, int n) {
  const int i = threadIdx.x;
#ifndef TWIN
  if (i >= n) return;
  int sum = in[i];
#else
  int sum = i < n ? in[i] : 0;
#endif
  for (int distance = warpSize / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0ull, sum, distance);  // FAULT: barrier-divergence at
  }
  if (i % warpSize == 0) out[i] = sum;
}
