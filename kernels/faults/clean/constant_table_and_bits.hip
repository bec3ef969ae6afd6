// A table in constant memory, bits set by atomics in one word that many threads share, and
// volatile reads of what a barrier has ordered.
// RUN: --kernel mark --grid 2 --block 64 --arg u32[128]=iota --arg u32[4]=zeros
// RUN: --arg u32[128]=uninit
#include <hip/hip_runtime.h>

__constant__ unsigned kPrimes[8] = {2, 3, 5, 7, 11, 13, 17, 19};

__global__ void mark(const unsigned* in, unsigned* bits, unsigned* out) {
  __shared__ unsigned seen;
  const unsigned tid = threadIdx.x;
  if (tid == 0) seen = 0;
  __syncthreads();
  const unsigned i = blockIdx.x * 64 + tid;
  const unsigned prime = kPrimes[in[i] % 8];
  atomicOr(&seen, 1u << prime % 32);
  if (in[i] % prime == 0) atomicOr(&bits[i / 32], 1u << i % 32);
  __syncthreads();
  out[i] = *static_cast<volatile unsigned*>(&seen) ^ prime;
}
