// Spatial hash in signed ints: the products by large primes overflow, which is undefined in int and
// defined in unsigned. An optimiser may take the sum for non-negative and drop the mask's work. The
// twin hashes unsigned.
// RUN: --kernel hash --grid 1 --block 64 --arg i32[64]=iota --arg i32[64]=uninit --arg i32=1000
#include <hip/hip_runtime.h>

#ifndef TWIN
using Word = int;
#else
using Word = unsigned;
#endif

__global__ void hash(const int* x, int* out, int y) {
  const Word a =
      static_cast<Word>(x[threadIdx.x]) * Word{73856093};  // FAULT: undefined-behaviour at
  const Word b = static_cast<Word>(y) * Word{19349663};    // FAULT: undefined-behaviour at
  out[threadIdx.x] = static_cast<int>((a ^ b) & Word{1023});
}
