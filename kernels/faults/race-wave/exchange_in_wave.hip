// Lanes of one wave swap values through shared memory with nothing between the store and the load:
// lockstep is taken for granted. The twin has __syncwarp.
// RUN: --kernel swap_pairs --grid 2 --block 32 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__global__ void swap_pairs(const float* in, float* out) {
  __shared__ float slots[32];
  const int lane = threadIdx.x;
  slots[lane] = in[blockIdx.x * 32 + lane];  // FAULT: race-wave write
#ifdef TWIN
  __syncwarp();
#endif
  out[blockIdx.x * 32 + lane] = slots[lane ^ 1];  // FAULT: race-wave other
}
