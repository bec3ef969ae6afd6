// Producer block and consumer block with an atomic flag but no fences: the consumer sees the flag
// and may read the old data, for the two blocks share no cache nearer than L2. The twin fences on
// both sides.
// RUN: --kernel pipeline --grid 2 --block 64 --arg f32[1]=ones --arg f32[1]=uninit
// RUN: --arg i32[1]=zeros --arg f32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void pipeline(const float* in, float* data, int* flag, float* out) {
  if (threadIdx.x != 0) return;
  if (blockIdx.x == 0) {
    data[0] = 3.0f * in[0];  // FAULT: race-grid write
#ifdef TWIN
    __threadfence();
#endif
    atomicExch(flag, 1);
  } else {
    while (atomicAdd(flag, 0) == 0) {
    }
#ifdef TWIN
    __threadfence();
#endif
    out[0] = data[0];  // FAULT: race-grid other
  }
}
