// Shared histogram with a plain increment: two threads with the same key read the same count and
// one of the increments is lost. The twin adds atomically.
// RUN: --kernel histogram --grid 2 --block 256 --arg u32[512]=iota --arg u32[128]=uninit
#include <hip/hip_runtime.h>

constexpr int kBins = 64;

__global__ void histogram(const unsigned* keys, unsigned* counts) {
  __shared__ unsigned bins[kBins];
  const int tid = threadIdx.x;
  if (tid < kBins) bins[tid] = 0;
  __syncthreads();
  const unsigned bin = keys[blockIdx.x * blockDim.x + tid] % kBins;
#ifndef TWIN
  bins[bin] += 1;  // FAULT: race-shared write other
#else
  atomicAdd(&bins[bin], 1u);
#endif
  __syncthreads();
  if (tid < kBins) counts[blockIdx.x * kBins + tid] = bins[tid];
}
