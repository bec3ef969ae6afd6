// Wave to wave hand-over through a relaxed atomic flag with a fence on either side, in shared
// memory.
// RUN: --kernel hand_over --grid 2 --block 128 --arg f32[2]=uniform(-1,1) --arg f32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void hand_over(const float* in, float* out) {
  __shared__ volatile float value;
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    value = 2.0f * in[blockIdx.x];
    __threadfence_block();
    __hip_atomic_store(&flag, 1, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
  } else if (threadIdx.x == 64) {
    while (__hip_atomic_load(&flag, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP) == 0) {
    }
    __threadfence_block();
    out[blockIdx.x] = value;
  }
}
