// One thread of the consumer block waits for the producer's flag and acquires; the others go on at
// once and read what may not be there. The twin holds them at a barrier.
// RUN: --kernel pipeline --grid 2 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=zeros
// RUN: --arg i32[1]=zeros --arg f32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void pipeline(const float* in, float* stage, int* flag, float* out) {
  const int tid = threadIdx.x;
  if (blockIdx.x == 0) {
    stage[tid] = 2.0f * in[tid];  // FAULT: race-grid write
    __syncthreads();
    if (tid == 0) __hip_atomic_store(flag, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
  } else {
    if (tid == 0) {
      while (__hip_atomic_load(flag, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) == 0) {
      }
    }
#ifdef TWIN
    __syncthreads();
#endif
    out[tid] = stage[tid] + 1.0f;  // FAULT: race-grid other
  }
}
