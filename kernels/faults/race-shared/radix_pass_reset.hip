// Digit counts of a radix sort, one pass after another over the same counters: thread 0 clears them
// for the next pass while others still read where their digit begins. The twin has a barrier before
// the clearing.
// RUN: --kernel ranks --grid 1 --block 128 --arg u32[128]=iota --arg u32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void ranks(const unsigned* keys, unsigned* out) {
  __shared__ unsigned counts[16];
  const int tid = threadIdx.x;
  unsigned rank = 0;
  for (int shift = 0; shift < 8; shift += 4) {
    if (tid < 16) counts[tid] = 0;  // FAULT: race-shared write
    __syncthreads();
    const unsigned digit = keys[tid] * 37u >> shift & 15u;
    atomicAdd(&counts[digit], 1u);
    __syncthreads();
    for (unsigned d = 0; d < digit; ++d) rank += counts[d];  // FAULT: race-shared other
#ifdef TWIN
    __syncthreads();
#endif
  }
  out[tid] = rank;
}
