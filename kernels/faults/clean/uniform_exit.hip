// Whole blocks leave early, all threads of them: the barrier behind is one that nobody of such a
// block has to reach. The loop with its barrier runs as often for every thread of a block, and not
// as often in each block.
// RUN: --kernel rotate --grid 4 --block 64 --arg i32[4]=iota --arg f32[256]=uniform(-1,1)
// RUN: --arg f32[256]=zeros
#include <hip/hip_runtime.h>

__global__ void rotate(const int* rounds, const float* in, float* out) {
  __shared__ float slots[2][64];
  const int tid = threadIdx.x;
  const int first = blockIdx.x * 64;
  if (rounds[blockIdx.x] == 0) return;
  float value = in[first + tid];
  for (int round = 0; round < rounds[blockIdx.x]; ++round) {
    slots[round % 2][tid] = value;
    __syncthreads();
    value = slots[round % 2][(tid + 33) % 64];
  }
  out[first + tid] = value;
}
