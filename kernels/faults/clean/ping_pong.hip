// Scan between two halves of a shared buffer, one barrier a step: what a step reads, the step
// before wrote, and what it overwrites was last read two barriers ago.
// RUN: --kernel scan --grid 2 --block 128 --arg i32[256]=iota --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void scan(const int* in, int* out) {
  __shared__ int sums[2][128];
  const int tid = threadIdx.x;
  int from = 0;
  sums[from][tid] = in[blockIdx.x * 128 + tid];
  __syncthreads();
  for (int distance = 1; distance < 128; distance *= 2) {
    const int left = tid >= distance ? sums[from][tid - distance] : 0;
    sums[1 - from][tid] = sums[from][tid] + left;
    from = 1 - from;
    __syncthreads();
  }
  out[blockIdx.x * 128 + tid] = sums[from][127 - tid];
}
