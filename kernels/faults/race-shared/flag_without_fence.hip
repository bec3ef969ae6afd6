// Wave to wave hand-over through an atomic flag, relaxed and without fences: the consumer has seen
// the flag and may still see the value of before. The flag itself does not race. The twin stores it
// with release and loads it with acquire.
// RUN: --kernel hand_over --grid 1 --block 128 --arg f32[1]=ones --arg f32[1]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr int kStore = __ATOMIC_RELAXED;
constexpr int kLoad = __ATOMIC_RELAXED;
#else
constexpr int kStore = __ATOMIC_RELEASE;
constexpr int kLoad = __ATOMIC_ACQUIRE;
#endif

__global__ void hand_over(const float* in, float* out) {
  __shared__ float value;
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    value = 2.0f * in[0];  // FAULT: race-shared write
    __hip_atomic_store(&flag, 1, kStore, __HIP_MEMORY_SCOPE_WORKGROUP);
  } else if (threadIdx.x == 64) {
    while (__hip_atomic_load(&flag, kLoad, __HIP_MEMORY_SCOPE_WORKGROUP) == 0) {
    }
    out[0] = value;  // FAULT: race-shared other
  }
}
