// Stream compaction whose slots come from an atomic counter: every kept element has a place, and
// which place depends on the order in which threads arrive. The twin counts the kept elements
// before its own.
// RUN: --kernel keep_even --grid 1 --block 256 --arg i32[256]=iota --arg i32[128]=zeros
// RUN: --arg i32[1]=zeros
// JUDGE: repeat
#include <hip/hip_runtime.h>

__global__ void keep_even(const int* in, int* out, int* count) {  // FAULT: nondeterminism at
  const int value = in[threadIdx.x];
  if (value % 2 != 0) return;
#ifndef TWIN
  const int slot = atomicAdd(count, 1);
#else
  int slot = 0;
  for (int i = 0; i < static_cast<int>(threadIdx.x); ++i) slot += in[i] % 2 == 0;
  atomicAdd(count, 1);
#endif
  out[slot] = value;
}
