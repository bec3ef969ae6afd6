// Block 0 spins for a flag that the last block sets: with all blocks resident that is progress and
// no timeout, in whatever order they start.
// RUN: --kernel wait_for_last --grid 4 --block 64 --arg i32[1]=zeros --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void wait_for_last(int* flag, int* out) {
  __shared__ int seen;
  if (threadIdx.x == 0) {
    if (blockIdx.x == gridDim.x - 1) atomicExch(flag, 7);
    int value = 0;
    while (value == 0) value = atomicAdd(flag, 0);
    seen = value;
  }
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = seen;
}
