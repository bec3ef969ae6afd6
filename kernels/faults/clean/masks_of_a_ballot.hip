// Lanes with equal keys count among themselves, as in a sort's ranking: the mask of each group
// comes from a match, all lanes of it call, and a loop goes over the bits of the digit.
// RUN: --kernel ranks --grid 1 --block 128 --arg u32[128]=iota --arg u32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void ranks(const unsigned* keys, unsigned* out) {
  const int lane = threadIdx.x % warpSize;
  const unsigned digit = keys[threadIdx.x] * 5u % 8u;
  unsigned long long peers = ~0ull >> (64 - warpSize);
  for (int bit = 0; bit < 3; ++bit) {
    const bool one = (digit >> bit & 1u) != 0;
    const unsigned long long votes = __ballot(one);
    peers &= one ? votes : ~votes;
  }
  const unsigned below = __popcll(peers & ((1ull << lane) - 1));
  unsigned leader = lane;
  leader = __shfl_sync(peers, leader, __ffsll(peers) - 1);
  __syncwarp(peers);
  out[threadIdx.x] = __match_any_sync(~0ull, digit) == peers ? below + 100u * leader : 0u;
}
