// A shared counter through its whole life: cleared by one thread, raised by atomics of all, read
// plainly by all, cleared again for the next round, with a barrier between any two of these.
// RUN: --kernel count_rounds --grid 2 --block 128 --arg i32[256]=iota --arg i32[6]=uninit
// RUN: --arg i32=3
#include <hip/hip_runtime.h>

__global__ void count_rounds(const int* in, int* out, int rounds) {
  __shared__ int count;
  const int mine = in[blockIdx.x * blockDim.x + threadIdx.x];
  for (int round = 0; round < rounds; ++round) {
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    if (mine % (round + 2) == 0) atomicAdd(&count, 1);
    __syncthreads();
    const int all = count;
    __syncthreads();
    if (threadIdx.x == blockDim.x - 1) out[blockIdx.x * rounds + round] = all;
  }
}
