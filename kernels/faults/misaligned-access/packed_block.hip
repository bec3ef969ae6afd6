// Quantised blocks of 18 bytes (a half scale, 16 bytes of nibbles) whose nibbles are read as 32-bit
// words: 18 b + 2 is a multiple of 4 for every second block only. The twin reads the word with
// memcpy, which the compiler turns into the same single load where the target allows it.
// RUN: --kernel nibble_sums --grid 1 --block 64 --arg u8[1152]=iota --arg u32[64]=uninit
#include <hip/hip_runtime.h>

#include <cstring>

constexpr int kBlockBytes = 18;

__global__ void nibble_sums(const unsigned char* blocks, unsigned* sums) {
  const unsigned char* quants = blocks + threadIdx.x * kBlockBytes + 2;
  unsigned sum = 0;
  for (int word = 0; word < 4; ++word) {
    unsigned bits;
#ifndef TWIN
    bits = *reinterpret_cast<const unsigned*>(quants + 4 * word);  // FAULT: misaligned-access at
#else
    memcpy(&bits, quants + 4 * word, sizeof bits);
#endif
    for (; bits != 0; bits >>= 4) sum += bits & 0xf;
  }
  sums[threadIdx.x] = sum;
}
