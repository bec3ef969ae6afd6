// Tree reduction whose last 64 threads go on without block barriers, each step ordered by
// __syncwarp: right where a wave has 64 lanes. At width 32 these are two waves, which __syncwarp
// does not order: slots 32 to 63 race. The twin starts its wave-synchronous tail at warpSize.
// RUN: --kernel block_sum --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[1]=uninit
// WIDTHS: 32
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  const int tail = 64;
#else
  const int tail = warpSize;
#endif
  partial[tid] = in[tid];
  __syncthreads();
  for (int stride = kBlock / 2; stride >= tail; stride /= 2) {
    if (tid < stride) partial[tid] += partial[tid + stride];
    __syncthreads();
  }
  if (tid < tail) {
    for (int stride = tail / 2; stride > 0; stride /= 2) {
      const float right = partial[tid + stride];  // FAULT: race-shared other
      __syncwarp();
      partial[tid] += right;  // FAULT: race-shared write
      __syncwarp();
    }
  }
  if (tid == 0) out[0] = partial[0];
}
