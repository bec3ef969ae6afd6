// Quotients of 32-bit words, with the one division that does not fit: the smallest integer by -1.
// The twin treats -1 as a negation in unsigned arithmetic.
// RUN: --kernel divide --grid 1 --block 32 --arg i32[32]=iota --arg i32=-1 --arg i32[32]=zeros
#include <hip/hip_runtime.h>

__global__ void divide(const int* in, int by, int* out) {
  const int value = in[threadIdx.x] == 7 ? -2147483647 - 1 : in[threadIdx.x];
#ifdef TWIN
  if (by == -1) {
    out[threadIdx.x] = static_cast<int>(0u - static_cast<unsigned>(value));
    return;
  }
#endif
  out[threadIdx.x] = value / by;  // FAULT: undefined-behaviour at
}
