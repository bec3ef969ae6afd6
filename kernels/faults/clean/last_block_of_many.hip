// Every thread of every block stores and fences many times, then the last block of more than a
// thousand adds up what all have left: every store was released before it is read.
// RUN: --kernel grand_total --grid 1200 --block 64 --arg f32[64]=uniform(-1,1)
// RUN: --arg f32[76800]=uninit --arg i32[1]=zeros --arg f32[64]=uninit
#include <hip/hip_runtime.h>

constexpr int kRounds = 18;

__global__ void grand_total(const float* in, float* partial, int* blocks_done, float* out) {
  __shared__ bool last;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  for (int round = 0; round < kRounds; ++round) {
    sum += in[(threadIdx.x + round) % blockDim.x];
    partial[i] = sum;
    __threadfence();
  }
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(blocks_done, 1) == static_cast<int>(gridDim.x) - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  float total = 0.0f;
  for (int block = 0; block < static_cast<int>(gridDim.x); ++block)
    total += partial[block * blockDim.x + threadIdx.x];
  out[threadIdx.x] = total;
}
