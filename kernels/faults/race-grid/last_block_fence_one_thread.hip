// Last-block sum in which all threads store a part and thread 0 alone fences and draws the ticket,
// with no barrier before: its fence orders its own store, not those of the other threads. The twin
// has the barrier, after which thread 0's fence covers the whole block.
// RUN: --kernel sum --grid 4 --block 64 --arg i32[256]=iota --arg i32[256]=uninit
// RUN: --arg u32[1]=zeros --arg i32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void sum(const int* in, int* parts, unsigned* ticket, int* out) {
  __shared__ bool last;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  parts[i] = in[i] * in[i];  // FAULT: race-grid write
#ifdef TWIN
  __syncthreads();
#endif
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    int total = 0;
    for (int j = 0; j < static_cast<int>(gridDim.x * blockDim.x); ++j) {
      total += parts[j];  // FAULT: race-grid other
    }
    out[0] = total;
  }
}
