// A spin lock that is taken by an atomic and given back by a plain store: the store is no release
// and races with the atomics of those who wait. The twin gives it back by an atomic after a fence.
// RUN: --kernel append --grid 4 --block 1 --arg i32[1]=zeros --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void append(int* lock, int* count) {
  while (atomicCAS(lock, 0, 1) != 0) {  // FAULT: race-grid other
  }
  __threadfence();
  count[0] += 1;  // ALSO: race-grid write other
  __threadfence();
#ifndef TWIN
  *lock = 0;  // FAULT: race-grid write  // ALSO: race-grid other
#else
  atomicExch(lock, 0);
#endif
}
