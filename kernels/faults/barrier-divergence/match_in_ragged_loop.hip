// Equal keys matched with a full mask in a loop that some lanes leave earlier: the mask names lanes
// that are gone. The twin takes the mask of those that are still there.
// RUN: --kernel groups --grid 1 --block 64 --arg u32[150]=iota --arg u32[64]=uninit --arg i32=150
#include <hip/hip_runtime.h>

__global__ void groups(const unsigned* keys, unsigned* out, int n) {
  unsigned sum = 0;
  for (int i = threadIdx.x; i < n; i += 64) {
#ifndef TWIN
    const unsigned long long mask = ~0ull;
#else
    const unsigned long long mask = __activemask();
#endif
    sum += __popcll(__match_any_sync(mask, keys[i] % 5u));  // FAULT: barrier-divergence at
  }
  out[threadIdx.x] = sum;
}
