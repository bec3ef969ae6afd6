// Threads of one block count into global memory with a plain increment: most increments are lost.
// The twin adds atomically.
// RUN: --kernel count --grid 1 --block 256 --arg u32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void count(unsigned* total) {
#ifndef TWIN
  total[0] += threadIdx.x;  // FAULT: race-global write other
#else
  atomicAdd(total, threadIdx.x);
#endif
}
