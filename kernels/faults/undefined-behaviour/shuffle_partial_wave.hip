// Wave sum in a block of 48 threads: the last wave has 16 lanes (at width 64, 48), and lane 0 adds
// what lanes beyond them would hold. The twin only adds what exists.
// RUN: --kernel total --grid 1 --block 48 --arg i32[48]=iota --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* out) {
  const int lane = threadIdx.x % warpSize;
  const int lanes = min(warpSize, 48 - static_cast<int>(threadIdx.x) + lane);
  int sum = in[threadIdx.x];
  for (int distance = warpSize / 2; distance > 0; distance /= 2) {
    const int other = __shfl_down(sum, distance);  // FAULT: undefined-behaviour at
#ifdef TWIN
    if (lane + distance < lanes)
#endif
      sum += other;
  }
  if (lane == 0) atomicAdd(out, sum + 0 * lanes);
}
