// Hillis-Steele scan in place with one barrier a step: sums[tid - distance] is read while its owner
// adds to it. The barrier ends the step and does not separate its reads from its writes. The twin
// reads, waits, then writes.
// RUN: --kernel scan --grid 1 --block 256 --arg f32[256]=uniform(0,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void scan(const float* in, float* out) {
  __shared__ float sums[kBlock];
  const int tid = threadIdx.x;
  sums[tid] = in[tid];
  __syncthreads();
  for (int distance = 1; distance < kBlock; distance *= 2) {
#ifndef TWIN
    if (tid >= distance) {
      sums[tid] += sums[tid - distance];  // FAULT: race-shared write other
    }
#else
    const float left = tid >= distance ? sums[tid - distance] : 0.0f;
    __syncthreads();
    sums[tid] += left;
#endif
    __syncthreads();
  }
  out[tid] = sums[kBlock - 1 - tid];
}
