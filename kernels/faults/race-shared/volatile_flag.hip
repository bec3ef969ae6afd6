// Wave to wave hand-over through a volatile flag with fences. Volatile stops the compiler from
// caching the flag; it makes neither the flag's accesses atomic nor the fences count, since a fence
// orders others only through an atomic that they observed. The twin's flag is atomic.
// RUN: --kernel hand_over --grid 1 --block 128 --arg f32[1]=ones --arg f32[1]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
__device__ void set(volatile int* flag) {
  *flag = 1;  // FAULT: race-shared write
}
__device__ bool is_set(volatile int* flag) {
  return *flag != 0;  // FAULT: race-shared other
}
#else
__device__ void set(int* flag) {
  __hip_atomic_store(flag, 1, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
}
__device__ bool is_set(int* flag) {
  return __hip_atomic_load(flag, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP) != 0;
}
#endif

__global__ void hand_over(const float* in, float* out) {
  __shared__ float value;
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    value = 2.0f * in[0];  // ALSO: race-shared write
    __threadfence_block();
    set(&flag);
  } else if (threadIdx.x == 64) {
    while (!is_set(&flag)) {
    }
    __threadfence_block();
    out[0] = value;  // ALSO: race-shared other
  }
}
