// Tree reduction of n < 256 values: threads from n on leave their slot unwritten and the tree adds
// it. LDS keeps what the block before left there, so the sum changes with what ran earlier. The
// twin gives those slots the identity.
// RUN: --kernel sum --grid 1 --block 256 --arg f32[200]=uniform(-1,1) --arg f32[1]=uninit
// RUN: --arg i32=200
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void sum(const float* in, float* out, int n) {
  __shared__ float partial[kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid < n) partial[tid] = in[tid];
#else
  partial[tid] = tid < n ? in[tid] : 0.0f;
#endif
  __syncthreads();
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) {
      partial[tid] += partial[tid + stride];  // FAULT: uninitialised-read-shared at
    }
    __syncthreads();
  }
  if (tid == 0) out[0] = partial[0];
}
