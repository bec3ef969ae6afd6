// Counts by load, add and store instead of an atomic, one wave only: lanes with the same bin lose
// each other's counts, at any width. The twin adds by atomics.
// RUN: --kernel count --grid 1 --block 32 --arg u32[32]=iota --arg u32[4]=zeros
#include <hip/hip_runtime.h>

__global__ void count(const unsigned* in, unsigned* bins) {
  const unsigned bin = in[threadIdx.x] % 4;
#ifndef TWIN
  bins[bin] = bins[bin] + in[threadIdx.x];  // FAULT: race-wave write other
#else
  atomicAdd(&bins[bin], in[threadIdx.x]);
#endif
}
