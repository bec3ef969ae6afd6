// Counting digits of a radix sort in a private array of eight counters, with a mask of four bits:
// digits 8 to 15 count in whatever lies behind the array. The twin masks three bits.
// RUN: --kernel count_digits --grid 1 --block 64 --arg u32[1024]=iota --arg u32[512]=uninit
#include <hip/hip_runtime.h>

constexpr int kDigits = 8;
constexpr int kPerThread = 16;
#ifndef TWIN
constexpr unsigned kMask = 0xf;
#else
constexpr unsigned kMask = 0x7;
#endif

__global__ void count_digits(const unsigned* keys, unsigned* counts) {
  const int thread = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned local[kDigits] = {};
  for (int i = 0; i < kPerThread; ++i) {
    const unsigned digit = keys[thread * kPerThread + i] & kMask;
    ++local[digit];  // FAULT: out-of-bounds-private at
  }
  for (int d = 0; d < kDigits; ++d) counts[thread * kDigits + d] = local[d];
}
