// Producer block and consumer block with release and acquire in the right places and the scope of a
// block: no cache is written back, none is dropped. The twin's scope is the device.
// RUN: --kernel pipeline --grid 2 --block 1 --arg f32[1]=ones --arg f32[1]=uninit
// RUN: --arg i32[1]=zeros --arg f32[1]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr int kScope = __HIP_MEMORY_SCOPE_WORKGROUP;
#else
constexpr int kScope = __HIP_MEMORY_SCOPE_AGENT;
#endif

__global__ void pipeline(const float* in, float* data, int* flag, float* out) {
  if (blockIdx.x == 0) {
    data[0] = 3.0f * in[0];                                 // ALSO: race-grid write
    __hip_atomic_store(flag, 1, __ATOMIC_RELEASE, kScope);  // FAULT: race-atomic-scope write
  } else {
    int seen = 0;
    while (seen == 0) {
      seen = __hip_atomic_load(flag, __ATOMIC_ACQUIRE, kScope);  // FAULT: race-atomic-scope other
    }
    out[0] = data[0];  // ALSO: race-grid other
  }
}
