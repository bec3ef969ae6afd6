// What the emulated device itself costs: a launch of nothing, and a thread that waits.
//
// Formula   empty: none. barriers: y[block] = rounds, after as many barriers.
// Block     one-dimensional.

#include <hip/hip_runtime.h>

extern "C" __global__ void empty() {}

extern "C" __global__ void barriers(int* y, int rounds) {
  for (int i = 0; i < rounds; ++i) __syncthreads();
  if (threadIdx.x == 0) y[blockIdx.x] = rounds;
}

extern "C" __global__ void shuffles(int* y, int rounds) {
  int value = threadIdx.x;
  for (int i = 0; i < rounds; ++i) value = __shfl_xor(value, 1);
  y[blockIdx.x * blockDim.x + threadIdx.x] = value;
}
