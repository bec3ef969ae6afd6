// Reduction with its block size as a template argument, unrolled by `if constexpr`, the tail by
// shuffles at either width; a grid-stride loop with two loads a step and a ternary for the last.
// RUN: --kernel sum<256> --grid 2 --block 256 --arg f32[1300]=uniform(-1,1) --arg f32[2]=uninit
// RUN: --arg i32=1300
#include <hip/hip_runtime.h>

template <int kBlock>
__global__ void sum(const float* in, float* out, int n) {
  __shared__ float partial[kBlock];
  const int tid = threadIdx.x;
  float mine = 0.0f;
  for (int i = blockIdx.x * 2 * kBlock + tid; i < n; i += gridDim.x * 2 * kBlock) {
    mine += in[i] + (i + kBlock < n ? in[i + kBlock] : 0.0f);
  }
  partial[tid] = mine;
  __syncthreads();
  if constexpr (kBlock >= 256) {
    if (tid < 128) partial[tid] = mine += partial[tid + 128];
    __syncthreads();
  }
  if constexpr (kBlock >= 128) {
    if (tid < 64) partial[tid] = mine += partial[tid + 64];
    if (warpSize == 32) __syncthreads();
  }
  if (tid < warpSize) {
    if (warpSize == 32) mine += partial[tid + 32];
    for (int d = warpSize / 2; d > 0; d /= 2) mine += __shfl_down(mine, d);
    if (tid == 0) out[blockIdx.x] = mine;
  }
}
