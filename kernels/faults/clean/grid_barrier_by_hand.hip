// A barrier of the grid out of atomics, twice used, with the fences that it takes, one thread a
// block waiting and the others held by barriers.
// RUN: --kernel rounds --grid 4 --block 64 --arg i32[256]=iota --arg i32[256]=uninit
// RUN: --arg u32[1]=zeros
#include <hip/hip_runtime.h>

__device__ void grid_barrier(unsigned* arrived, unsigned goal) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(arrived, 1u);
    while (atomicAdd(arrived, 0u) < goal) {
    }
    __threadfence();
  }
  __syncthreads();
}

__global__ void rounds(int* data, int* out, unsigned* arrived) {
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const int first = data[n - 1 - i];
  grid_barrier(arrived, gridDim.x);
  data[i] = first + 1;
  grid_barrier(arrived, 2 * gridDim.x);
  out[i] = data[(i + 64) % n];
}
