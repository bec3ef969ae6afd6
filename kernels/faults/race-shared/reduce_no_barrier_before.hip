// Tree reduction whose first step may run before the other waves have stored their values: the
// barrier between the store and the tree is missing; the one in the loop is there. The twin has
// both.
// RUN: --kernel block_sums --grid 4 --block 256 --arg f32[1024]=uniform(-1,1) --arg f32[4]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void block_sums(const float* in, float* out) {
  __shared__ float partial[kBlock];
  const int tid = threadIdx.x;
  partial[tid] = in[blockIdx.x * kBlock + tid];  // FAULT: race-shared write
#ifdef TWIN
  __syncthreads();
#endif
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) {
      partial[tid] += partial[tid + stride];  // FAULT: race-shared other
    }
    __syncthreads();
  }
  if (tid == 0) out[blockIdx.x] = partial[0];
}
