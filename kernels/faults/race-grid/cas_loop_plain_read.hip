// Floating-point maximum by compare-and-swap whose first look at the value is a plain read, as in
// many a textbook: the read races with the other blocks' swaps, and the compiler may split, repeat
// or invent it. The twin's first look is an atomic load.
// RUN: --kernel maximum --grid 4 --block 1 --arg f32[4]=uniform(0,1) --arg u32[1]=zeros
#include <hip/hip_runtime.h>

// Non-negative floats order like their bits.
__global__ void maximum(const float* in, unsigned* bits) {
  const unsigned mine = __float_as_uint(in[blockIdx.x]);
#ifndef TWIN
  unsigned seen = *bits;  // FAULT: race-grid other
#else
  unsigned seen = __hip_atomic_load(bits, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#endif
  while (seen < mine) {
    const unsigned before = atomicCAS(bits, seen, mine);  // FAULT: race-grid write
    if (before == seen) break;
    seen = before;
  }
}
