// Both sides of a branch vote with the same full mask, each at a place of its own: HIP wants all
// lanes of a mask at one instruction. The twin votes before the branch.
// RUN: --kernel count --grid 1 --block 64 --arg i32[64]=iota --arg i32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void count(const int* in, int* out) {
  const int lane = threadIdx.x % warpSize;
  const int value = in[threadIdx.x];
  unsigned long long votes = 0;
#ifdef TWIN
  votes = __ballot_sync(~0ull, value % 3 == 0);
  if (lane % 2 == 0) votes = ~votes;
#else
  if (lane % 2 == 0) {
    votes = ~__ballot_sync(~0ull, value % 3 == 0);  // FAULT: barrier-divergence at other
  } else {
    votes = __ballot_sync(~0ull, value % 3 == 0);  // FAULT: barrier-divergence at other
  }
#endif
  out[threadIdx.x] = __popcll(votes);
}
