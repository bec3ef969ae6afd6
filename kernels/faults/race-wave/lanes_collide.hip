// Compaction in which pairs of lanes get the same slot: two lanes of one store instruction write
// different values to one address, and which of them stays is undefined even in lockstep. An error,
// not a warning. The twin gives the slot to the even lane.
// RUN: --kernel halve --grid 1 --block 32 --arg i32[32]=iota --arg i32[16]=uninit
#include <hip/hip_runtime.h>

__global__ void halve(const int* in, int* out) {
  __shared__ int slots[16];
  const int lane = threadIdx.x;
#ifdef TWIN
  if (lane % 2 == 0)
#endif
    slots[lane / 2] = in[lane];  // FAULT: race-wave write other
  __syncthreads();
  if (lane < 16) out[lane] = slots[15 - lane];
}
