// Bins in global memory that all blocks share, counted with atomics of the block's scope because
// the code came from a kernel with bins in shared memory. The twin's scope is the device.
// RUN: --kernel histogram --grid 4 --block 64 --arg u32[256]=iota --arg u32[8]=zeros
#include <hip/hip_runtime.h>

__global__ void histogram(const unsigned* in, unsigned* bins) {
  const unsigned bin = in[blockIdx.x * 64 + threadIdx.x] % 8;
#ifndef TWIN
  atomicAdd_block(&bins[bin], 1u);  // FAULT: race-atomic-scope write other
#else
  atomicAdd(&bins[bin], 1u);
#endif
}
