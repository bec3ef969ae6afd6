// Producer and consumer waves of one block with a ring of two slots: full and empty counters in
// shared memory, released and acquired at the scope of the block.
// RUN: --kernel stream --grid 1 --block 128 --arg f32[512]=uniform(-1,1) --arg f32[512]=uninit
#include <hip/hip_runtime.h>

__device__ void wait_for(int* counter, int goal) {
  while (__hip_atomic_load(counter, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_WORKGROUP) < goal) {
    __builtin_amdgcn_s_sleep(1);
  }
}

__global__ void stream(const float* in, float* out) {
  __shared__ float ring[2][64];
  __shared__ int full;
  __shared__ int empty;
  const int tid = threadIdx.x;
  if (tid == 0) full = empty = 0;
  __syncthreads();
  const int place = tid % 64;
  for (int round = 0; round < 8; ++round) {
    if (tid < 64) {
      wait_for(&empty, 64 * (round - 1));
      ring[round % 2][place] = in[round * 64 + place];
      __hip_atomic_fetch_add(&full, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
    } else {
      wait_for(&full, 64 * (round + 1));
      out[round * 64 + place] = 2.0f * ring[round % 2][63 - place];
      __hip_atomic_fetch_add(&empty, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
    }
  }
}
