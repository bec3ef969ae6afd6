// Producer block and consumer block with a volatile flag and fences. On AMD hardware this often
// works; the flag's plain store and load still race, and a fence orders others only through an
// atomic that they observed. The twin's flag is atomic.
// RUN: --kernel pipeline --grid 2 --block 64 --arg f32[1]=ones --arg f32[1]=uninit
// RUN: --arg i32[1]=zeros --arg f32[1]=uninit
#include <hip/hip_runtime.h>

__device__ void set(int* flag) {
#ifndef TWIN
  *static_cast<volatile int*>(flag) = 1;  // FAULT: race-grid write
#else
  __hip_atomic_store(flag, 1, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#endif
}

__device__ bool is_set(int* flag) {
#ifndef TWIN
  return *static_cast<volatile int*>(flag) != 0;  // FAULT: race-grid other
#else
  return __hip_atomic_load(flag, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT) != 0;
#endif
}

__global__ void pipeline(const float* in, float* data, int* flag, float* out) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) {
    data[0] = 3.0f * in[0];  // ALSO: race-grid write
    __threadfence();
    set(flag);
  } else {
    while (!is_set(flag)) {
    }
    __threadfence();
    out[0] = data[0];  // ALSO: race-grid other
  }
}
