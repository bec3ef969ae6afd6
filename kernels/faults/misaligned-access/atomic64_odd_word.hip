// A 64-bit counter kept at the second 32-bit word of a header: a 64-bit atomic at an address that
// is a multiple of 4 only. Hardware faults or, worse, is not atomic across the boundary. The twin
// keeps the counter at the third word.
// RUN: --kernel count --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg u32[4]=zeros
#include <hip/hip_runtime.h>

__global__ void count(const float* in, unsigned* header) {
#ifndef TWIN
  unsigned* const word = header + 1;
#else
  unsigned* const word = header + 2;
#endif
  auto* const positive = reinterpret_cast<unsigned long long*>(word);
  if (in[threadIdx.x] > 0.0f) atomicAdd(positive, 1ull);  // FAULT: misaligned-access at
}
