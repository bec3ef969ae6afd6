// Block 0 takes work with atomics of block scope, on the thought that it is alone, while block 1
// takes from the same counter with device scope. Two scopes must include each other. The twin uses
// the device's on both sides.
// RUN: --kernel take --grid 2 --block 1 --arg i32[1]=zeros --arg i32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void take(int* next, int* taken) {
  int got = 0;
  if (blockIdx.x == 0) {
#ifndef TWIN
    got = atomicAdd_block(next, 1);  // FAULT: race-atomic-scope write
#else
    got = atomicAdd(next, 1);
#endif
  } else {
    got = atomicAdd(next, 1);  // FAULT: race-atomic-scope other
  }
  taken[blockIdx.x] = got >= 0 ? 1 : 0;
}
