// Unpacking a field of `bits` bits by shifting right 32 - bits: with bits = 0 the shift is 32,
// which is not zero but undefined (AMD's instruction takes the count modulo 32 and returns the
// word). The twin treats zero bits by itself.
// RUN: --kernel unpack --grid 1 --block 64 --arg u32[64]=iota --arg u32[64]=uninit --arg i32=0
#include <hip/hip_runtime.h>

__global__ void unpack(const unsigned* words, unsigned* out, int bits) {
#ifdef TWIN
  if (bits == 0) {
    out[threadIdx.x] = 0;
    return;
  }
#endif
  const unsigned field = words[threadIdx.x] >> (32 - bits);  // FAULT: undefined-behaviour at
  out[threadIdx.x] = field;
}
