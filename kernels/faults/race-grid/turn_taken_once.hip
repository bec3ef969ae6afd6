// Blocks add to one array in turns, several rounds of them, but wait for their turn in the first
// round only. The twin waits in each.
// RUN: --kernel turns --grid 3 --block 64 --arg f32[64]=zeros --arg i32[1]=zeros
#include <hip/hip_runtime.h>

constexpr int kRounds = 3;

__device__ void wait_for(int* turn, int number) {
  if (threadIdx.x == 0) {
    while (__hip_atomic_load(turn, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) < number) {
    }
  }
  __syncthreads();
}

__device__ void pass_on(int* turn, int number) {
  __syncthreads();
  if (threadIdx.x == 0)
    __hip_atomic_store(turn, number, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}

__global__ void turns(float* sum, int* turn) {
  for (int round = 0; round < kRounds; ++round) {
    const int mine = round * gridDim.x + blockIdx.x;
#ifndef TWIN
    if (round == 0) wait_for(turn, mine);
#else
    wait_for(turn, mine);
#endif
    sum[threadIdx.x] += mine;  // FAULT: race-grid write other
    pass_on(turn, mine + 1);
  }
}
