// A table in dynamic shared memory indexed by a key that was never reduced: far behind its end. The
// twin masks it.
// RUN: --kernel tally --grid 1 --block 32 --shared 256 --arg u32[32]=iota --arg u32[32]=uninit
#include <hip/hip_runtime.h>

__global__ void tally(const unsigned* keys, unsigned* out) {
  extern __shared__ unsigned table[];
  table[threadIdx.x] = 0;
  table[threadIdx.x + 32] = 0;
  __syncthreads();
#ifndef TWIN
  const unsigned slot = keys[threadIdx.x] * 40503u;
#else
  const unsigned slot = keys[threadIdx.x] * 40503u % 64u;
#endif
  atomicAdd(&table[slot], 1u);  // FAULT: out-of-bounds-shared at
  __syncthreads();
  out[threadIdx.x] = table[threadIdx.x] + table[threadIdx.x + 32];
}
