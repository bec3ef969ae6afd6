// A spin on a flag that nobody sets: block 0 was to do it and returns first. The twin's block 0
// sets it, and the spin of block 1 is no fault, however late block 0 is.
// RUN: --kernel wait_for_first --grid 2 --block 1 --arg i32[1]=zeros --arg i32[2]=zeros --arg i32=0
// TIMEOUT: 1
#include <hip/hip_runtime.h>

constexpr int kScope = __HIP_MEMORY_SCOPE_AGENT;

__global__ void wait_for_first(int* flag, int* out, int items) {
  if (blockIdx.x == 0) {
#ifndef TWIN
    if (items == 0) return;
#endif
    out[0] = items;
    __hip_atomic_store(flag, 1, __ATOMIC_RELEASE, kScope);
  } else {
    int seen = 0;
    while (seen == 0) {                                          // FAULT: timeout at
      seen = __hip_atomic_load(flag, __ATOMIC_ACQUIRE, kScope);  // FAULT: timeout at
    }
    out[1] = out[0] + 1;
  }
}
