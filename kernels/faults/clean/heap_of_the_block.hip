// A table on the device's heap: made by one thread, filled and read by all, given back by one, each
// step behind a barrier.
// RUN: --kernel reverse --grid 2 --block 64 --arg i32[128]=iota --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse(const int* in, int* out) {
  __shared__ int* table;
  const int tid = threadIdx.x;
  if (tid == 0) table = static_cast<int*>(malloc(64 * sizeof(int)));
  __syncthreads();
  table[tid] = in[blockIdx.x * 64 + tid];
  __syncthreads();
  out[blockIdx.x * 64 + tid] = table[63 - tid];
  __syncthreads();
  if (tid == 0) free(table);
}
