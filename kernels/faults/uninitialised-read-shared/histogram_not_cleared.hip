// Shared histogram whose bins are not cleared before the atomic adds. The twin clears them behind a
// barrier.
// RUN: --kernel histogram --grid 2 --block 256 --arg u32[512]=iota --arg u32[128]=uninit
#include <hip/hip_runtime.h>

constexpr int kBins = 64;

__global__ void histogram(const unsigned* keys, unsigned* counts) {
  __shared__ unsigned bins[kBins];
  const int tid = threadIdx.x;
#ifdef TWIN
  if (tid < kBins) bins[tid] = 0;
  __syncthreads();
#endif
  const unsigned key = keys[blockIdx.x * blockDim.x + tid];
  atomicAdd(&bins[key * 7 % kBins], 1u);  // FAULT: uninitialised-read-shared at
  __syncthreads();
  if (tid < kBins) counts[blockIdx.x * kBins + tid] = bins[tid];
}
