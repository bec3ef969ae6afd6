// A lookup table in shared memory that only block 0 fills, as if shared memory were the kernel's
// and not the block's. Blocks 1 to 3 read a table of their own that nobody wrote. On hardware it
// often holds what block 0 left on the same compute unit. The twin fills it in every block.
// RUN: --kernel apply_table --grid 4 --block 64 --arg u32[256]=iota --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void apply_table(const unsigned* codes, float* out) {
  __shared__ float table[64];
  const int tid = threadIdx.x;
#ifndef TWIN
  const bool fills = blockIdx.x == 0;
#else
  const bool fills = true;
#endif
  if (fills) table[tid] = (tid - 32) * 0.25f;
  __syncthreads();
  const int i = blockIdx.x * blockDim.x + tid;
  out[i] = table[codes[i] * 5 % 64];  // FAULT: uninitialised-read-shared at
}
