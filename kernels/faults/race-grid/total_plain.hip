// Each block adds its sum to one total with a plain +=: blocks overwrite each other's additions,
// and no barrier can help, since barriers end at the block. The twin adds atomically.
// RUN: --kernel total --grid 8 --block 64 --arg i32[512]=iota --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* out) {
  int sum = in[blockIdx.x * blockDim.x + threadIdx.x];
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_down(sum, distance, 32);
  __shared__ int partial[2];
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
#ifndef TWIN
    out[0] += partial[0] + partial[1];  // FAULT: race-grid write other
#else
    atomicAdd(out, partial[0] + partial[1]);
#endif
  }
}
