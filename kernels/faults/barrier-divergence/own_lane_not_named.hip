// A vote among the lanes below 16, by a mask that names the first 8: half of the callers are not in
// their own mask. The twin's mask names them all.
// RUN: --kernel vote --grid 1 --block 32 --arg i32[32]=iota --arg i32[32]=zeros
#include <hip/hip_runtime.h>

__global__ void vote(const int* in, int* out) {
  const int lane = threadIdx.x;
#ifndef TWIN
  const unsigned long long mask = 0xffull;
#else
  const unsigned long long mask = 0xffffull;
#endif
  if (lane < 16) {
    const unsigned long long odd =
        __ballot_sync(mask, in[lane] % 2);  // FAULT: barrier-divergence at
    out[lane] = __popcll(odd);
  }
}
