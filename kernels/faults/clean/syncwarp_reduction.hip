// Reduction of the first warpSize elements by one wave, each step ordered by __syncwarp: right at
// any width, with no barrier of the block in the tail.
// RUN: --kernel block_sum --grid 2 --block 256 --arg f32[512]=uniform(-1,1) --arg f32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[256];
  const int tid = threadIdx.x;
  partial[tid] = in[blockIdx.x * 256 + tid];
  __syncthreads();
  for (int stride = 128; stride >= warpSize; stride /= 2) {
    if (tid < stride) partial[tid] += partial[tid + stride];
    __syncthreads();
  }
  if (tid < warpSize) {
    for (int stride = warpSize / 2; stride > 0; stride /= 2) {
      if (tid < stride) partial[tid] += partial[tid + stride];
      __syncwarp();
    }
  }
  if (tid == 0) out[blockIdx.x] = partial[0];
}
