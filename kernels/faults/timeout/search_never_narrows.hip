// Binary search whose lower bound moves to the middle and not past it: with two elements left the
// middle is the lower bound again, for ever. The twin moves past it.
// RUN: --kernel find --grid 1 --block 64 --arg i32[64]=iota --arg i32[64]=zeros --arg i32=64
// TIMEOUT: 1
#include <hip/hip_runtime.h>

__global__ void find(const int* sorted, int* out, int n) {
  const int key = threadIdx.x;
  int low = 0;
  int high = n;
  while (low < high) {                    // FAULT: timeout at
    const int middle = (low + high) / 2;  // FAULT: timeout at
    if (sorted[middle] < key) {           // FAULT: timeout at
#ifndef TWIN
      low = middle;  // FAULT: timeout at
#else
      low = middle + 1;
#endif
    } else {
      high = middle;  // FAULT: timeout at
    }
  }
  out[threadIdx.x] = low;
}
