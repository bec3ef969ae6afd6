// Scatter with indices that repeat: threads i and i + 128 store different values to the same
// element, and the last one wins. The twin folds the two with an atomic maximum.
// RUN: --kernel scatter --grid 1 --block 256 --arg i32[256]=iota --arg i32[128]=zeros
#include <hip/hip_runtime.h>

__global__ void scatter(const int* values, int* out) {
  const int to = threadIdx.x % 128;
#ifndef TWIN
  out[to] = values[threadIdx.x];  // FAULT: race-global write other
#else
  atomicMax(&out[to], values[threadIdx.x]);
#endif
}
