// A shared counter cleared by thread 0 with no barrier before the first atomic adds: increments of
// fast waves are wiped out. (The adds also meet memory that is not initialised yet.) The twin waits
// after clearing.
// RUN: --kernel count_positive --grid 2 --block 256 --arg f32[512]=uniform(-1,1)
// RUN: --arg i32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void count_positive(const float* in, int* out) {
  __shared__ int count;
  if (threadIdx.x == 0) {
    count = 0;  // FAULT: race-shared write
  }
#ifdef TWIN
  __syncthreads();
#endif
  if (in[blockIdx.x * blockDim.x + threadIdx.x] > 0.0f) {
    atomicAdd(&count, 1);  // FAULT: race-shared other
  }
  __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x] = count;
}
