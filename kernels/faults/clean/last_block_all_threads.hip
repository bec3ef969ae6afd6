// The last-block pattern with data of all threads: a barrier collects the block's stores before
// thread 0 fences and draws the ticket, and a barrier hands the result of the draw, and what it
// makes visible, to all.
// RUN: --kernel reverse_all --grid 4 --block 64 --arg i32[256]=iota --arg i32[256]=uninit
// RUN: --arg u32[1]=zeros --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse_all(const int* in, int* scratch, unsigned* ticket, int* out) {
  __shared__ bool last;
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  scratch[i] = 2 * in[i];
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (last) {
    for (int j = threadIdx.x; j < n; j += blockDim.x) out[j] = scratch[n - 1 - j];
  }
}
