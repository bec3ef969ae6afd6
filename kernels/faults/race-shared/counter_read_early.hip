// A shared counter raised by atomics and read plainly, with no barrier between: the reader sees
// some of the increments. Atomics order nothing but themselves, and a plain read beside them races.
// The twin waits.
// RUN: --kernel count_positive --grid 2 --block 256 --arg f32[512]=uniform(-1,1)
// RUN: --arg i32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void count_positive(const float* in, int* out) {
  __shared__ int count;
  if (threadIdx.x == 0) count = 0;
  __syncthreads();
  if (in[blockIdx.x * blockDim.x + threadIdx.x] > 0.0f) {
    atomicAdd(&count, 1);  // FAULT: race-shared write
  }
#ifdef TWIN
  __syncthreads();
#endif
  if (threadIdx.x == 0) out[blockIdx.x] = count;  // FAULT: race-shared other
}
