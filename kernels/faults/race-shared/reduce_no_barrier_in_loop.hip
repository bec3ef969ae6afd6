// Tree reduction with the barrier inside the loop left out: a thread adds partial[tid + stride]
// while the thread that owns it, in another wave, may not have done the step before. Sums come out
// short now and then, the more often the more waves compete. The twin has the barrier.
// RUN: --kernel block_sums --grid 4 --block 256 --arg f32[1024]=uniform(-1,1) --arg f32[4]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void block_sums(const float* in, float* out) {
  __shared__ float partial[kBlock];
  const int tid = threadIdx.x;
  partial[tid] = in[blockIdx.x * kBlock + tid];
  __syncthreads();
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) {
      partial[tid] += partial[tid + stride];  // FAULT: race-shared write other
    }
#ifdef TWIN
    __syncthreads();
#endif
  }
  if (tid == 0) out[blockIdx.x] = partial[0];
}
