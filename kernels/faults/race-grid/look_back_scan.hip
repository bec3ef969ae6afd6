// Single-pass prefix sum with look-back: each block publishes its sum in a status word and waits
// for its predecessor's. The sum lies beside the status, and no fence comes between the two. The
// twin has a fence on either side.
// RUN: --kernel scan --grid 4 --block 64 --arg i32[256]=ones --arg i32[4]=zeros --arg i32[4]=zeros
// RUN: --arg i32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 64;

__global__ void scan(const int* in, int* status, int* sums, int* out) {
  __shared__ int partial[kBlock];
  __shared__ int before;
  const int tid = threadIdx.x;
  const int i = blockIdx.x * kBlock + tid;
  partial[tid] = in[i];
  __syncthreads();
  for (int distance = 1; distance < kBlock; distance *= 2) {
    const int left = tid >= distance ? partial[tid - distance] : 0;
    __syncthreads();
    partial[tid] += left;
    __syncthreads();
  }
  if (tid == 0) {
    int prefix = 0;
    if (blockIdx.x > 0) {
      while (atomicAdd(&status[blockIdx.x - 1], 0) == 0) {
      }
#ifdef TWIN
      __threadfence();
#endif
      prefix = sums[blockIdx.x - 1];  // FAULT: race-grid other
    }
    sums[blockIdx.x] = prefix + partial[kBlock - 1];  // FAULT: race-grid write
#ifdef TWIN
    __threadfence();
#endif
    atomicExch(&status[blockIdx.x], 1);
    before = prefix;
  }
  __syncthreads();
  out[i] = before + partial[tid];
}
